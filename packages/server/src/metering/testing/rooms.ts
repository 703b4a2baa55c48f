/** @file Rules of a table of the test's own, so that all processes of a test decide by the same. One unit of any meter costs 1. */
import { AppError } from "@gristmill/contract";
import { sql, type Transaction } from "kysely";
import type { Database } from "../../db/index.ts";
import type { Allowance, Cost, MeteredQuantity, PolicySources, PriceList, RateWindow, RuleSet } from "../policy.ts";
import { tokensOf } from "../settlement.ts";

/** An allowance; with seconds, a window. */
export interface Room {
  readonly id: string;
  /** null: endless. */
  readonly capacity: number | null;
  readonly thresholds?: readonly number[];
  readonly seconds?: number;
  readonly metric?: "requests" | "tokens";
}

/** Makes the table of a test's rules. */
export async function createRoomTable(db: Database): Promise<void> {
  await sql`create table test_room (room jsonb not null)`.execute(db);
}

/** Replaces all rules. */
export async function setRooms(db: Database | Transaction<unknown>, rooms: readonly Room[]): Promise<void> {
  await sql`delete from test_room`.execute(db);
  for (const room of rooms) await sql`insert into test_room (room) values (${JSON.stringify(room)}::jsonb)`.execute(db);
}

/** Price of one unit of everything. */
export const unitPrice = "prc_unit";

/** The prices of tests: what is used is what it costs. */
export const unitPrices: PriceList = {
  bound: (_, quantity) => costOf(quantity),
  costOf: (_, used) => costOf(used),
};

const costOf = ({ quantity }: MeteredQuantity): Cost => ({ priceId: unitPrice, amount: String(quantity) });

/** Reads the test's table: every claim needs room under every allowance and every window. */
export const roomPolicy: PolicySources = {
  prices: { load: async () => unitPrices },
  rules: [
    {
      load: async (db) => {
        const { rows } = await sql<{ room: Room }>`select room from test_room order by room ->> 'id'`.execute(db);
        return rulesOf(rows.map(({ room }) => room));
      },
    },
  ],
};

/** The rules of rooms. */
export function rulesOf(rooms: readonly Room[]): RuleSet {
  const allowances = rooms.filter(({ seconds }) => seconds === undefined).map(allowanceOf);
  const windows = rooms.flatMap((room) => (room.seconds === undefined ? [] : [windowOf(room, room.seconds)]));
  return {
    terms: (_, estimates, costs) => ({
      holds: allowances.flatMap((allowance) => costs.map((cost) => ({ allowance, amount: cost.amount ?? "0" }))),
      takes: windows.map((window) => ({ window, amount: window.metric === "requests" ? 1 : tokensOf(estimates) })),
    }),
    accruals: (_, __, cost) => allowances.map((allowance) => ({ allowance, amount: cost.amount ?? "0" })),
  };
}

const allowanceOf = ({ id, capacity, thresholds = [] }: Room): Allowance => ({
  id,
  capacity: capacity === null ? null : String(capacity),
  thresholds: thresholds.map(String),
  refusal: (state) => new AppError("budget.exceeded", `${id} is full.`, { details: { ...state } }),
});

const windowOf = ({ id, capacity, metric = "requests" }: Room, seconds: number): RateWindow => ({
  id,
  metric,
  capacity: capacity ?? Number.MAX_SAFE_INTEGER,
  seconds,
  refusal: (state) => new AppError("limit.exceeded", `${id} is full.`, { details: { ...state } }),
});
