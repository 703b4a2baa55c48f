/** @file billing: the price book and priced usage. Read in this order: rating, price-book, service. */
import type { Database } from "../db/index.ts";
import type { Feature } from "../feature.ts";
import { type NewId, newId as platformId } from "../ids.ts";
import { billingRoutes } from "./routes.ts";
import { BillingService } from "./service.ts";

/** What billing is made from. */
export interface BillingDeps {
  readonly db: Database;
  readonly newId?: NewId;
}

/** Makes the price book and its reports. */
export const createBilling = ({ db, newId = platformId }: BillingDeps): Feature => ({
  routes: billingRoutes(new BillingService(db, newId)),
});
