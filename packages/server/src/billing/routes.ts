/** @file HTTP face of prices and reports. */
import {
  createPrice,
  listOf,
  listQuery,
  organizationUsageQuery,
  price,
  usageQuery,
  usageReport,
} from "@gristmill/contract";
import { z } from "zod";
import { type Route, route } from "../http/index.ts";
import type { BillingService } from "./service.ts";

const reading = { free: "looking at prices and usage is not use" };

/** GET /api/usage, GET /api/organizations/:organization/usage, GET and POST /api/prices. */
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
    path: "/api/organizations/:organization/usage",
    summary: "Report what an organization's projects used and what it cost",
    tag: "Usage",
    access: { scope: "organization:usage" },
    charge: reading,
    params: z.strictObject({ organization: z.string().max(80) }),
    query: organizationUsageQuery,
    response: usageReport,
    handler: async ({ caller, params, query }) => ({
      body: await billing.organizationUsage(caller, params.organization, query),
    }),
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
    audit: { action: "price.created" },
    charge: { free: "the operator's own work is not use" },
    body: createPrice,
    response: price,
    successStatus: 201,
    handler: async ({ body }) => ({ status: 201, body: await billing.createPrice(body) }),
  }),
];
