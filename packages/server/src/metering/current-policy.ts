/** @file The rules and prices by which this server decides at the moment, and the version that they are of. */
import { sql } from "kysely";
import type { Database } from "../db/index.ts";
import type { PolicySources, PriceList, RuleSet } from "./policy.ts";

/** All rules, as of one version. */
export interface Policy {
  /** Of `policy_version`. */
  readonly version: string;
  readonly prices: PriceList;
  readonly rules: readonly RuleSet[];
}

/** Reads all rules together; whoever finds them outdated asks again. */
export class CurrentPolicy {
  readonly #db: Database;
  readonly #sources: PolicySources;
  #policy: Policy | undefined;
  #loading: Promise<Policy> | undefined;

  constructor(db: Database, sources: PolicySources) {
    this.#db = db;
    this.#sources = sources;
  }

  /** What is known, which may be outdated: the database says so when something is written by it. */
  async get(): Promise<Policy> {
    return this.#policy ?? (await this.#reload());
  }

  /** Another than `outdated`, read after this was called unless somebody else has read it since. */
  async after(outdated: Policy): Promise<Policy> {
    if (this.#policy !== undefined && this.#policy !== outdated) return this.#policy;
    return await this.#reload();
  }

  /** Reads the rules again if the database has a version that is not this. */
  async refresh(version: string): Promise<void> {
    if (this.#policy !== undefined && this.#policy.version !== version) await this.#reload();
  }

  async #reload(): Promise<Policy> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    this.#policy = await this.#loading;
    return this.#policy;
  }

  /** One snapshot, so that rules and version belong together. */
  #load(): Promise<Policy> {
    const { prices, rules } = this.#sources;
    return this.#db
      .transaction()
      .setIsolationLevel("repeatable read")
      .execute(async (transaction) => {
        const { rows } = await sql<{ version: string }>`select version from policy_version`.execute(transaction);
        const version = rows[0]?.version;
        if (version === undefined) throw new Error("ledger: expected a row in policy_version, received none");
        const priceList = await prices.load(transaction);
        const ruleSets: RuleSet[] = [];
        for (const source of rules) ruleSets.push(await source.load(transaction));
        return { version, prices: priceList, rules: ruleSets };
      });
  }
}
