/** @file Counts denied accesses per caller, route, code and minute: bounded in memory and in rows, whoever knocks how often. */
import type { Denial, Denials } from "../http/index.ts";
import { addressRange } from "./address-range.ts";

/** One row of counts. */
export interface DenialCount {
  /** Start of the minute, in milliseconds since 1970. */
  readonly minuteMs: number;
  /** null: it is not known who called. */
  readonly organizationId: string | null;
  readonly projectId: string | null;
  readonly actorId: string | null;
  readonly address: string | null;
  readonly route: string;
  readonly code: string;
  readonly count: number;
}

/** How many callers, routes and codes are told apart in one minute. */
export interface DenialBounds {
  /** Of one organization, and of those who are not known; further ones are counted together, by route and code. */
  readonly perGroup: number;
  /** Of all; beyond it nothing is counted until the minute is over or counts were written. */
  readonly total: number;
}

const minuteMs = 60_000;
const defaultBounds: DenialBounds = { perGroup: 250, total: 5_000 };

/** In memory until `take`. */
export class DenialCounter implements Denials {
  readonly #now: () => Date;
  readonly #bounds: DenialBounds;
  readonly #counts = new Map<string, DenialCount>();
  /** Distinct counts of this minute by organization ("": unknown), so that a flush does not make room for new ones. */
  readonly #seen = new Map<string, Set<string>>();
  #minuteMs = 0;

  constructor(now: () => Date, bounds: DenialBounds = defaultBounds) {
    this.#now = now;
    this.#bounds = bounds;
  }

  note({ caller, address, route, code }: Denial): void {
    const at = Math.floor(this.#now().getTime() / minuteMs) * minuteMs;
    if (at !== this.#minuteMs) this.#seen.clear();
    this.#minuteMs = at;
    const organizationId = caller?.organizationId ?? null;
    const common = { minuteMs: at, organizationId, route, code, count: 1 };
    const many = { ...common, projectId: null, actorId: null, address: null };
    const one =
      caller === undefined
        ? { ...many, address: addressRange(address) }
        : { ...many, projectId: caller.projectId, actorId: caller.keyId ?? caller.userId ?? "admin_key" };
    this.#add(this.#isToldApart(one) ? one : many);
  }

  /** How many rows wait to be written. */
  get size(): number {
    return this.#counts.size;
  }

  /** What was counted since the last time, in an order in which two servers never wait for each other. */
  take(): readonly DenialCount[] {
    const taken = [...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
    this.#counts.clear();
    return taken;
  }

  /** Gives back what could not be written. */
  putBack(counts: readonly DenialCount[]): void {
    for (const count of counts) this.#add(count);
  }

  #isToldApart(one: DenialCount): boolean {
    const group = one.organizationId ?? "";
    const seen = this.#seen.get(group) ?? new Set();
    if (this.#seen.size < this.#bounds.total) this.#seen.set(group, seen);
    const key = keyOf(one);
    if (seen.size >= this.#bounds.perGroup) return seen.has(key);
    seen.add(key);
    return true;
  }

  #add(one: DenialCount): void {
    const key = keyOf(one);
    const there = this.#counts.get(key);
    if (there === undefined && this.#counts.size >= this.#bounds.total) return;
    this.#counts.set(key, { ...one, count: one.count + (there?.count ?? 0) });
  }
}

const keyOf = ({ minuteMs: at, organizationId, projectId, actorId, address, route, code }: DenialCount): string =>
  JSON.stringify([at, organizationId, projectId, actorId, address, route, code]);
