/** @file What claims need and what they get: from rules to the question that the database is asked, and from its answer to each claim's. Pure. */
import type { LimitState } from "../http/index.ts";
import type { Policy } from "./current-policy.ts";
import type { Claim } from "./ledger.ts";
import type { Allowance, Claimant, ClaimKind, Hold, RateWindow, Terms } from "./policy.ts";

/** One that wants in. */
export interface Entrant {
  readonly claimant: Claimant;
  readonly kind: ClaimKind;
  /** null: a request that reserves nothing; it only takes its place under the limits of requests. */
  readonly claim: Claim | null;
}

/** What became of one that was let in. */
export interface Admitted {
  /** By the database's clock. */
  readonly admittedAt: Date;
  readonly limits: readonly LimitState[];
}

/** One that wants in and what it must find room under. */
export interface Candidate {
  readonly entrant: Entrant;
  readonly terms: Terms;
}

/** So much of a room; rooms above zero are the nth allowance, below zero the nth window. */
export interface Demand {
  /** The candidate's number, from 1. */
  readonly n: number;
  readonly room: number;
  readonly amount: string;
}

/** What the database is asked for a group. */
export interface AdmissionQuestion {
  /** Of the policy that decided. */
  readonly version: string;
  /** Those with claims come first. */
  readonly candidates: readonly Candidate[];
  readonly allowances: readonly Allowance[];
  readonly windows: readonly RateWindow[];
  readonly demands: readonly Demand[];
}

/** Why one was not let in, as the database tells it. */
export interface NoRoom {
  readonly n: number;
  readonly room: number;
  readonly wanted: string;
  readonly used?: string;
  readonly held?: string;
  readonly remaining?: number;
  /** null: the window will never have so much room. */
  readonly retry_ms?: number | null;
}

/** What the database says. */
export interface AdmissionAnswer {
  readonly admittedAt: Date;
  /** Candidates whose claim was there already, since when; null: as another project's. */
  readonly known: ReadonlyMap<number, Date | null>;
  readonly refused: ReadonlyMap<number, NoRoom>;
  /** Of each window, when all were served. */
  readonly remaining: readonly number[];
}

/** Buckets of a window; the database keeps one more, so that no span of the window's length holds more than it may. */
const bucketsPerWindow = 60;

/** Whole milliseconds of one bucket. */
export const bucketWidthMs = ({ seconds }: RateWindow): number => Math.ceil((seconds * 1000) / bucketsPerWindow);

const noTerms: Terms = { holds: [], takes: [] };

/** What an entrant must find room under at a time. @throws AppError `price.unknown`. */
export function termsOf({ rules, prices }: Policy, { claimant, kind, claim }: Entrant, at: Date): Terms {
  if (rules.length === 0) return noTerms;
  const estimates = claim?.estimates ?? [];
  const costs = estimates.map((estimate) => prices.bound(claimant, estimate, at));
  const all = rules.map((rule) => rule.terms(claimant, estimates, costs, at, kind));
  const takes = all.flatMap((terms) => terms.takes);
  if (kind === "free") return { holds: [], takes: takes.filter((take) => take.window.metric === "requests") };
  return { holds: all.flatMap((terms) => terms.holds), takes };
}

/** The question for candidates of one policy. */
export function askFor(version: string, candidates: readonly Candidate[]): AdmissionQuestion {
  const ordered = [
    ...candidates.filter(({ entrant }) => entrant.claim !== null),
    ...candidates.filter(({ entrant }) => entrant.claim === null),
  ];
  // In order: the database locks its rows so, and answers so.
  const allowances = new Rooms<Allowance>(
    ordered.flatMap(({ terms }) => terms.holds.map(({ allowance }) => allowance)),
  );
  const windows = new Rooms<RateWindow>(ordered.flatMap(({ terms }) => terms.takes.map(({ window }) => window)));
  const demands = ordered.flatMap(({ terms }, index) => [
    ...terms.holds.map(({ allowance, amount }) => ({ n: index + 1, room: allowances.place(allowance), amount })),
    ...terms.takes.map(({ window, amount }) => ({
      n: index + 1,
      room: -windows.place(window),
      amount: String(amount),
    })),
  ]);
  return { version, candidates: ordered, allowances: allowances.all, windows: windows.all, demands };
}

/** Each candidate's own part of the answer. */
export function outcomesOf(
  question: AdmissionQuestion,
  answer: AdmissionAnswer,
): ReadonlyMap<Entrant, Admitted | Error> {
  const outcomes = new Map<Entrant, Admitted | Error>();
  const remaining = [...answer.remaining];
  // Backwards: what is left after the last, and what each took, say what was left before.
  for (const [index, candidate] of [...question.candidates.entries()].reverse()) {
    const { entrant, terms } = candidate;
    const noRoom = answer.refused.get(index + 1);
    const since = answer.known.get(index + 1);
    if (noRoom !== undefined) outcomes.set(entrant, refusalOf(question, noRoom));
    else if (since === null)
      outcomes.set(entrant, new Error(`ledger: ${entrant.claim?.id} is claimed by another project`));
    else if (since !== undefined) outcomes.set(entrant, { admittedAt: since, limits: [] });
    else {
      outcomes.set(entrant, {
        admittedAt: answer.admittedAt,
        limits: limitsOf(candidate, question, answer, remaining),
      });
      for (const { window, amount } of terms.takes) {
        const place = question.windows.findIndex(({ id }) => id === window.id);
        remaining[place] = (remaining[place] ?? 0) + amount;
      }
    }
  }
  return outcomes;
}

/**
 * Those that were let in by what held when they were judged, and must be judged again by what holds since: between the two,
 * a price or a period has begun.
 */
export function misjudged(
  policy: Policy,
  question: AdmissionQuestion,
  { admittedAt, known, refused }: AdmissionAnswer,
): readonly Entrant[] {
  return question.candidates.flatMap(({ entrant, terms }, index) => {
    if (terms.holds.length === 0 || known.has(index + 1) || refused.has(index + 1)) return [];
    return isSame(terms, policy, entrant, admittedAt) ? [] : [entrant];
  });
}

function isSame({ holds }: Terms, policy: Policy, entrant: Entrant, at: Date): boolean {
  try {
    return sameHolds(holds, termsOf(policy, entrant, at).holds);
  } catch {
    return false; // judged again, it fails for its caller alone
  }
}

const sameHolds = (some: readonly Hold[], others: readonly Hold[]): boolean =>
  some.length === others.length &&
  some.every(({ allowance, amount }, index) => {
    const other = others[index];
    return other !== undefined && other.allowance.id === allowance.id && other.amount === amount;
  });

function limitsOf(
  { terms }: Candidate,
  { windows }: AdmissionQuestion,
  { admittedAt }: AdmissionAnswer,
  remaining: readonly number[],
): readonly LimitState[] {
  return terms.takes.map(({ window }) => {
    const width = bucketWidthMs(window);
    return {
      metric: window.metric,
      limit: window.capacity,
      remaining: remaining[windows.findIndex(({ id }) => id === window.id)] ?? 0,
      // float-ok: milliseconds
      resetMs: (bucketsPerWindow + 1) * width - (admittedAt.getTime() % width),
    };
  });
}

function refusalOf({ allowances, windows }: AdmissionQuestion, noRoom: NoRoom): Error {
  const { room, used = "0", held = "0", wanted, remaining = 0, retry_ms } = noRoom;
  const allowance = allowances[room - 1];
  if (allowance !== undefined) return allowance.refusal({ used, held, wanted });
  const window = windows[-room - 1];
  if (window === undefined) throw new Error(`ledger: expected a room of the question, received ${room}`);
  return window.refusal({ remaining, retryAfterMs: retry_ms ?? window.seconds * 1000 });
}

/** Each room once, sorted by id. */
class Rooms<Room extends { readonly id: string }> {
  readonly all: readonly Room[];
  readonly #places: ReadonlyMap<string, number>;

  constructor(rooms: readonly Room[]) {
    const each = new Map(rooms.map((room) => [room.id, room]));
    this.all = [...each.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#places = new Map(this.all.map(({ id }, index) => [id, index + 1]));
  }

  /** Its number, from 1. */
  place({ id }: Room): number {
    return this.#places.get(id) ?? 0;
  }
}
