/**
 * @file What decides over claims and what use costs. The ledger asks; limits, budgets and the price book answer, each from
 * rules that it has read whole. The database knows the version of all rules: a claim or a settlement that was decided by old
 * ones is not written, but decided again by the new ones. So a price, a limit or a budget holds for every server at once.
 */
import type { AppError, KeyId, OrganizationId, ProjectId } from "@gristmill/contract";
import type { Transaction } from "kysely";
import type { Database } from "../db/index.ts";

/** Whose use it is. */
export interface Claimant {
  readonly organizationId: OrganizationId;
  readonly projectId: ProjectId;
  readonly keyId: KeyId | null;
}

/** What wants in: a request that reserves, one that reserves nothing, or a slice of running cost, which is no request. */
export type ClaimKind = "request" | "free" | "cost";

/** So much of a meter. */
export interface MeteredQuantity {
  readonly meter: string;
  /** Exact decimal. */
  readonly quantity: string | bigint;
  /** What may decide the price: model, hardware ... */
  readonly dimensions: Readonly<Record<string, string>>;
}

/** What use costs by the price in force at a time. */
export interface Cost {
  /** null: no price is known; it never counts as zero. */
  readonly priceId: string | null;
  /** Exact decimal; of tiered prices the most that it can be until the period is rated. null: unknown. */
  readonly amount: string | null;
}

/** Something with room for so much: a budget in one period, or the requests at once of one key. A row of `allowance`. */
export interface Allowance {
  /** "bud_…:2026-11-01", "lim_…": its row is made when it is first claimed, and deleted only within `changeRules`. */
  readonly id: string;
  /** Exact decimal; null: counts, and never refuses. */
  readonly capacity: string | null;
  /** Ascending amounts used; passing one makes one row of `allowance_alert`, once. */
  readonly thresholds: readonly string[];
  /** What whoever finds no room is told. */
  readonly refusal: (state: { readonly used: string; readonly held: string; readonly wanted: string }) => AppError;
}

/** A claim on an allowance, held until the reservation ends. */
export interface Hold {
  readonly allowance: Allowance;
  /** Exact decimal, at most what the request can use. */
  readonly amount: string;
}

/** So many of something in any span of `seconds`. A row of `rate_window`. */
export interface RateWindow {
  /** "lim_…". */
  readonly id: string;
  readonly metric: "requests" | "tokens";
  readonly capacity: number;
  readonly seconds: number;
  readonly refusal: (state: { readonly remaining: number; readonly retryAfterMs: number }) => AppError;
}

/** A taking from a window; what was taken too much comes back when the request is settled. */
export interface Take {
  readonly window: RateWindow;
  readonly amount: number;
}

/** What a claim must find room under; all or none is taken. */
export interface Terms {
  readonly holds: readonly Hold[];
  readonly takes: readonly Take[];
}

/** Use that counts against an allowance. */
export interface Accrual {
  readonly allowance: Allowance;
  /** Exact decimal. */
  readonly amount: string;
}

/** One family of rules (limits, budgets) as of one version. Everything is in memory: it answers at once. */
export interface RuleSet {
  /**
   * What a request must find room under.
   * @param costs of the estimates, in their order.
   * @param at by the database's clock; should it be admitted at another time, it is judged again for that.
   * @throws AppError `price.unknown` when a hard budget can't tell what the claim would cost.
   */
  terms(
    claimant: Claimant,
    estimates: readonly MeteredQuantity[],
    costs: readonly Cost[],
    at: Date,
    kind: ClaimKind,
  ): Terms;
  /** What a recorded use counts against, in the period of its admission. */
  accruals(claimant: Claimant, used: MeteredQuantity, cost: Cost, admittedAt: Date): readonly Accrual[];
}

/** The price book as of one version. */
export interface PriceList {
  /** What so much can cost at most. */
  bound(claimant: Claimant, quantity: MeteredQuantity, at: Date): Cost;
  /** What recorded use counts as, at the price in force when it was admitted. */
  costOf(claimant: Claimant, used: MeteredQuantity, admittedAt: Date): Cost;
}

/** Reads a family of rules, or the prices, whole. */
export interface RuleSource<T> {
  load(db: Database | Transaction<unknown>): Promise<T>;
}

/** All that decides. */
export interface PolicySources {
  readonly prices: RuleSource<PriceList>;
  readonly rules: readonly RuleSource<RuleSet>[];
}

/**
 * Lock of the rules (advisory, in a transaction): claims and settlements hold it shared, and who changes a rule holds it
 * alone and adds one to `policy_version` (see `changeRules`).
 */
export const rulesLock = 7_070_010;
