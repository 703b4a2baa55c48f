/** @file Corrections: what was written stays, and an opposite entry beside it takes back what it counted, once. */
import { createHash } from "node:crypto";
import { AppError, type Correction, type CreateCorrection, type ProjectId, type RequestId } from "@gristmill/contract";
import Big from "big.js";
import { correctionDimension, type Ledger, type UsageRecord } from "../metering/index.ts";
import { recordId } from "./counting.ts";
import type { EventStore, LedgerRow } from "./event-store.ts";
import type { Meters } from "./meters.ts";

/** Source of corrections; nobody else's events can have it. */
export const correctionSource = "gristmill/corrections";

/** What corrections are made from. */
export interface CorrectionsDeps {
  readonly ledger: Pick<Ledger, "record">;
  readonly store: EventStore;
  readonly meters: Meters;
}

/** Takes back what events counted. */
export class Corrections {
  readonly #deps: CorrectionsDeps;

  constructor(deps: CorrectionsDeps) {
    this.#deps = deps;
  }

  /**
   * Adds the opposite of what an event counted, less the right quantity if one is told, at the event's own time, price and
   * dimensions. It is one entry for each meter, so that of two corrections one is written and the other is not.
   * @throws AppError `event.not_found`, `event.not_correctable`, `event.corrected`, `request.invalid`.
   */
  async correct(projectId: ProjectId, requestId: RequestId, input: CreateCorrection): Promise<Correction> {
    const { ledger, store } = this.#deps;
    const rows = await this.#recordsOf(projectId, input);
    if (input.quantity !== undefined && rows.length > 1)
      throw new AppError(
        "request.invalid",
        `quantity: ${rows.length} meters counted this event (${rows.map((row) => row.meter).join(", ")}): name the one to set right as \`meter\`.`,
      );
    const entries: UsageRecord[] = [];
    for (const row of rows) entries.push(await this.#entryOf(projectId, requestId, row, input));
    const ids = entries.map((entry) => entry.id);
    const isOwn = (row: LedgerRow) => entries.some(({ id, original }) => id === row.id && original === row.original);
    if (!(await store.find(projectId, correctionSource, ids)).every(isOwn)) throw corrected(input);
    await ledger.record(projectId, entries);
    // Of two corrections at the same moment the ledger has kept one.
    if (!(await store.find(projectId, correctionSource, ids)).every(isOwn)) throw corrected(input);
    return {
      object: "correction",
      corrects: { source: input.source, id: input.id },
      reason: input.reason,
      entries: entries.map(({ id, meter, quantity }) => ({
        id,
        source: correctionSource,
        meter,
        quantity: String(quantity),
      })),
    };
  }

  /** The records to take back: those of the event that was sent, or the one record of that id. */
  async #recordsOf(projectId: ProjectId, { source, id, meter }: CreateCorrection): Promise<readonly LedgerRow[]> {
    const { meters, store } = this.#deps;
    const names = await meters.everyName(projectId);
    const all = await store.find(projectId, source, [id, ...names.map((name) => recordId(id, name))]);
    const rows = meter === undefined ? all : all.filter((row) => row.meter === meter);
    if (rows.length === 0)
      throw new AppError("event.not_found", `This project's ledger has no event "${id}" of "${source}".`);
    return rows;
  }

  async #entryOf(
    projectId: ProjectId,
    requestId: RequestId,
    row: LedgerRow,
    { reason, quantity }: CreateCorrection,
  ): Promise<UsageRecord> {
    const { aggregation, dimensions } = await this.#deps.meters.asked(projectId, row.meter);
    if (aggregation !== "sum" && aggregation !== "count")
      throw new AppError("event.not_correctable", `${row.meter} keeps the ${aggregation} of its events.`);
    // Of fixed length and unambiguous, whatever the event's own source and id are.
    const id = createHash("sha256")
      .update(JSON.stringify([row.source, row.id]))
      .digest("hex");
    const difference = new Big(quantity ?? 0).minus(row.quantity).toFixed();
    return {
      id,
      source: correctionSource,
      meter: row.meter,
      quantity: difference,
      time: row.time,
      admittedAt: row.admitted_at,
      requestId: row.request_id,
      keyId: row.key_id,
      // Prices for each event ask for it: an event that is taken back wholly counts no more, one that is set right still does.
      dimensions: markedDimensions(row, !new Big(quantity ?? 0).eq(0)),
      rollUpBy: [...dimensions, correctionDimension],
      original: JSON.stringify({
        specversion: "1.0",
        id,
        source: correctionSource,
        type: "gristmill.correction",
        time: row.time.toISOString(),
        datacontenttype: "application/json",
        data: {
          corrects: { source: row.source, id: row.id },
          meter: row.meter,
          quantity: difference,
          reason,
          request_id: requestId,
        },
      }),
    };
  }
}

/** Those of what is corrected, and whether an event counts one less by it. What takes a taking-back back counts one again. */
function markedDimensions({ dimensions }: LedgerRow, isPart: boolean): Readonly<Record<string, string>> {
  const { [correctionDimension]: before, ...plain } = dimensions;
  if (isPart || before === "part") return { ...plain, [correctionDimension]: "part" };
  return before === "whole" ? plain : { ...plain, [correctionDimension]: "whole" };
}

const corrected = ({ source, id }: { readonly source: string; readonly id: string }): AppError =>
  new AppError("event.corrected", `The event "${id}" of "${source}" was corrected before.`);
