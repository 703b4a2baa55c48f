/** @file HTTP face of prices and reports. */
import { createPrice, listOf, listQuery, price, usageQuery, usageReport } from "@gristmill/contract";
import { type Route, route } from "../http/index.ts";
import type { BillingService } from "./service.ts";

const reading = { free: "looking at prices and usage is not use" };

/** GET /api/usage, GET and POST /api/prices. */
export const billingRoutes = (billing: BillingService): readonly Route[] => [
  route({
    method: "GET",
    path: "/api/usage",
    summary: "Report what was used and what it cost",
    tag: "Usage",
    access: { scope: "usage:read" },
    charge: reading,
    query: usageQuery,
    response: usageReport,
    handler: async ({ caller, query }) => ({ body: await billing.usage(caller.projectId, query) }),
  }),
  route({
    method: "GET",
    path: "/api/prices",
    summary: "List the price book",
    tag: "Usage",
    access: { scope: "usage:read" },
    charge: reading,
    query: listQuery,
    response: listOf(price),
    handler: async ({ query }) => ({ body: await billing.listPrices(query) }),
  }),
  route({
    method: "POST",
    path: "/api/prices",
    summary: "Add a price from now on or from a later time",
    tag: "Usage",
    access: { scope: "admin" },
    charge: { free: "the operator's own work is not use" },
    body: createPrice,
    response: price,
    successStatus: 201,
    handler: async ({ body }) => ({ status: 201, body: await billing.createPrice(body) }),
  }),
];
