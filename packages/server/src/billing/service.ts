/** @file Rules of prices, and whose usage a report shows. */
import {
  AppError,
  type CreatePrice,
  type ListQuery,
  type OrganizationUsageQuery,
  type Page,
  type Price,
  type ProjectId,
  type UsageQuery,
  type UsageReport,
} from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import { type Caller, pageOf } from "../http/index.ts";
import type { NewId } from "../ids.ts";
import { changeRules } from "../metering/index.ts";
import { platformCurrency } from "./currency.ts";
import { usageReport } from "./reports.ts";
import {
  chargeOf,
  type DatedPriceRow,
  databaseNow,
  findOrganization,
  insertPrice,
  listPrices,
  projectsOf,
} from "./store.ts";

/** Prices of the platform, and what usage cost by them. */
export class BillingService {
  readonly #db: Database;
  readonly #newId: NewId;

  constructor(db: Database, newId: NewId) {
    this.#db = db;
    this.#newId = newId;
  }

  /** A page of the price book, in the order in which prices were added. */
  async listPrices({ limit, after, order }: ListQuery): Promise<Page<Price>> {
    const all = await listPrices(this.#db);
    const inOrder = order === "asc" ? all : all.toReversed();
    const start = after === undefined ? 0 : inOrder.findIndex((price) => price.id === after) + 1;
    if (after !== undefined && start === 0) throw new AppError("request.invalid", `after: no price "${after}".`);
    return pageOf(inOrder.slice(start, start + limit + 1), limit, toWire);
  }

  /**
   * Adds a price, which ends the one before it. What was admitted keeps its price: the new one begins in the future, at
   * the earliest with the next millisecond of the database's clock.
   * @throws AppError `price.conflict` when it would begin in the past, or not after the last of its kind.
   */
  createPrice({ effective_from, ...terms }: CreatePrice): Promise<Price> {
    return changeRules(this.#db, async (transaction) => {
      const soonest = new Date((await databaseNow(transaction)).getTime() + 1);
      const effectiveFrom = effective_from === undefined ? soonest : new Date(effective_from);
      if (effectiveFrom < soonest)
        throw new AppError("price.conflict", "effective_from lies in the past: leave it out for a price from now on.");
      const last = (await listPrices(transaction)).findLast(
        (price) =>
          price.meter === terms.meter &&
          price.model === terms.model &&
          price.hardware === terms.hardware &&
          price.effective_from >= effectiveFrom,
      );
      if (last !== undefined)
        throw new AppError(
          "price.conflict",
          `A price of the same meter, model and hardware begins at ${last.effective_from.toISOString()}: expected a later effective_from.`,
          { details: { price: last.id } },
        );
      // What is for one unit is kept alike, whichever way it was said.
      const amount = terms.charge?.type === "per_unit" ? terms.charge.amount : (terms.amount ?? null);
      const row = {
        id: this.#newId("price"),
        meter: terms.meter,
        model: terms.model,
        hardware: terms.hardware,
        amount,
        charge: amount === null ? (terms.charge ?? null) : null,
        free: terms.free,
        minimum: terms.minimum,
        maximum: terms.maximum,
        currency: platformCurrency.code,
        effective_from: effectiveFrom,
      };
      await insertPrice(transaction, row);
      return toWire({ ...row, effective_to: null });
    });
  }

  /** One project's usage. */
  usage(projectId: ProjectId, query: UsageQuery): Promise<UsageReport> {
    return usageReport(this.#db, [projectId], query);
  }

  /**
   * An organization's usage, of all its projects or one.
   * @param named the organization's id or name; the operator may name any, all others their own.
   * @throws AppError `organization.not_found`, `project.not_found`.
   */
  async organizationUsage(caller: Caller, named: string, query: OrganizationUsageQuery): Promise<UsageReport> {
    const organization = await findOrganization(this.#db, named);
    if (organization === undefined || (caller.kind !== "admin" && organization !== caller.organizationId))
      throw new AppError("organization.not_found", `There is no organization "${named}".`);
    const projects = await projectsOf(this.#db, organization);
    const { project, ...rest } = query;
    if (project !== undefined && !projects.includes(project as ProjectId))
      throw new AppError("project.not_found", `The organization has no project "${project}".`);
    return await usageReport(this.#db, project === undefined ? projects : [project as ProjectId], rest);
  }
}

const toWire = (row: DatedPriceRow): Price => ({
  id: row.id,
  object: "price",
  meter: row.meter,
  model: row.model,
  hardware: row.hardware,
  amount: row.amount,
  charge: chargeOf(row),
  free: row.free,
  minimum: row.minimum,
  maximum: row.maximum,
  currency: row.currency,
  effective_from: row.effective_from.toISOString(),
  effective_to: row.effective_to?.toISOString() ?? null,
});
