/** @file HTTP face of budgets. */
import { type Budget, budget, budgetsQuery, createBudget, deleted, listOf, updateBudget } from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../http/index.ts";
import type { BudgetService } from "./service.ts";

const common = { tag: "Budgets", charge: { free: "management of the platform itself" } } as const;
const reading = { ...common, access: { scope: "budgets:read" } } as const;
const writing = { ...common, access: { scope: "budgets:write" } } as const;
const params = z.strictObject({ budget: z.string().max(64) });

/** GET and POST /api/budgets; GET, PATCH and DELETE of one. */
export const budgetRoutes = (budgets: BudgetService): readonly Route[] => [
  route({
    ...reading,
    method: "GET",
    path: "/api/budgets",
    summary: "List the budgets that the caller may see, and how they stand",
    query: budgetsQuery,
    response: listOf(budget),
    handler: async ({ caller, query }) => ({
      body: pageOf<Budget, Budget>(await budgets.list(caller, query), query.limit, (item) => item),
    }),
  }),
  route({
    ...writing,
    method: "POST",
    path: "/api/budgets",
    summary: "Make a budget of the organization, a project or a key; what was spent in its period counts",
    audit: { action: "budget.created" },
    body: createBudget,
    response: budget,
    successStatus: 201,
    handler: async ({ caller, body }) => ({ status: 201, body: await budgets.create(caller, body) }),
  }),
  route({
    ...reading,
    method: "GET",
    path: "/api/budgets/:budget",
    summary: "Show a budget, how it stands, and who was told",
    params,
    response: budget,
    handler: async ({ caller, params }) => ({ body: await budgets.get(caller, params.budget) }),
  }),
  route({
    ...writing,
    method: "PATCH",
    path: "/api/budgets/:budget",
    summary: "Change a budget's name, amount, hardness, thresholds or receivers",
    audit: { action: "budget.updated" },
    params,
    body: updateBudget,
    response: budget,
    handler: async ({ caller, params, body }) => ({ body: await budgets.update(caller, params.budget, body) }),
  }),
  route({
    ...writing,
    method: "DELETE",
    path: "/api/budgets/:budget",
    summary: "Delete a budget and its alerts",
    audit: { action: "budget.deleted" },
    params,
    response: deleted,
    handler: async ({ caller, params }) => {
      await budgets.delete(caller, params.budget);
      return { body: { id: params.budget, object: "budget", deleted: true } };
    },
  }),
];
