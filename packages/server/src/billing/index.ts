/**
 * @file billing: the price book and priced usage. Read in this order: curve, tariff, price-book, amounts, rating, reading,
 * reports, service.
 */
import type { Database } from "../db/index.ts";
import type { Feature } from "../feature.ts";
import { type NewId, newId as platformId } from "../ids.ts";
import type { PriceList, RuleSource } from "../metering/index.ts";
import { PriceBook } from "./price-book.ts";
import { priceListOf } from "./price-list.ts";
import { billingRoutes } from "./routes.ts";
import { BillingService } from "./service.ts";
import { listPrices, toEntry } from "./store.ts";

export { platformCurrency } from "./currency.ts";
export type { RatedRow } from "./rating.ts";
export { ratedUsage } from "./reports.ts";
export { type Spend, type SpendQuestion, spendOf } from "./spend.ts";
export { projectsOf } from "./store.ts";

/** What billing is made from. */
export interface BillingDeps {
  readonly db: Database;
  readonly newId?: NewId;
}

/** The price book's running side. */
export interface Billing extends Feature {
  /** Prices as admission asks for them. */
  readonly prices: RuleSource<PriceList>;
}

/** Makes the price book and its reports. */
export const createBilling = ({ db, newId = platformId }: BillingDeps): Billing => ({
  routes: billingRoutes(new BillingService(db, newId)),
  prices: { load: async (source) => priceListOf(new PriceBook((await listPrices(source)).map(toEntry))) },
});
