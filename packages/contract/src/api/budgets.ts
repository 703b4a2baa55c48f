/** @file Budgets: how much may be spent in a period, who is told, and whether work stops. */
import { z } from "zod";
import { currency, decimal, listQuery, timestamp } from "./common.ts";
import { deliveryStatuses, displayName } from "./webhooks.ts";

/** Periods begin at whole days (weeks on Monday, months on the 1st) of UTC; "total" never ends. */
export const budgetPeriods = ["day", "week", "month", "total"] as const;
export type BudgetPeriod = (typeof budgetPeriods)[number];

export const budgetSubject = z.strictObject({
  type: z.enum(["organization", "project", "key"]),
  id: z.string().min(1).max(64),
});
export type BudgetSubject = z.infer<typeof budgetSubject>;

const budgetNotify = z.object({ emails: z.array(z.string()), webhooks: z.array(z.string()) });

/** A threshold that was passed, and who was told. */
export const budgetAlert = z.object({
  id: z.string(),
  /** Percent of the amount as it was; not whole when the amount was changed since. */
  threshold: z.number(),
  /** The spend at which it was passed. */
  amount: decimal,
  period_start: timestamp.nullable(),
  reached_at: timestamp,
  deliveries: z.array(
    z.object({
      channel: z.enum(["webhook", "email"]),
      /** The webhook's id, or the address. */
      recipient: z.string(),
      status: z.enum(deliveryStatuses),
      attempts: z.number().int(),
      last_error: z.string().nullable(),
    }),
  ),
});
export type BudgetAlert = z.infer<typeof budgetAlert>;

export const budget = z.object({
  id: z.string(),
  object: z.literal("budget"),
  name: z.string(),
  subject: z.object({ type: z.enum(["organization", "project", "key"]), id: z.string() }),
  amount: decimal,
  currency,
  period: z.enum(budgetPeriods),
  /** The current period; null: of "total". */
  period_start: timestamp.nullable(),
  period_end: timestamp.nullable(),
  /** true: what would go beyond the amount is refused. false: it is only told. */
  hard: z.boolean(),
  /** Percent of the amount, ascending. */
  thresholds: z.array(z.number()),
  notify: budgetNotify,
  /** Exact, unrounded, of the current period. */
  spent: decimal,
  /** What work under way may still spend at most; only hard budgets reserve. */
  reserved: decimal,
  /** `amount - spent - reserved`; below zero when a soft budget is passed. */
  remaining: decimal,
  /** Of the current period, in order of time. */
  alerts: z.array(budgetAlert),
  created_at: timestamp,
  updated_at: timestamp,
});
export type Budget = z.infer<typeof budget>;

const amount = z
  .string()
  .regex(
    /^\d{1,12}(\.\d{1,11})?$/,
    'expected an amount of at most 12 digits before and 11 after the point, such as "250"',
  )
  .refine((text) => /[1-9]/.test(text), "expected more than zero");

const thresholds = z
  // float-ok: halves of percents, which doubles hold exactly
  .array(z.number().min(1, "expected percent from 1").max(1000, "expected percent up to 1000").multipleOf(0.5))
  .max(10)
  .transform((percents) => [...new Set(percents)].toSorted((a, b) => a - b));

const emails = z.array(z.email("expected an e-mail address").max(254)).max(20);
const webhooks = z.array(z.string().max(64)).max(20);
const notify = z.strictObject({ emails: emails.default([]), webhooks: webhooks.default([]) });

export const createBudget = z.strictObject({
  name: displayName,
  subject: budgetSubject,
  amount,
  currency: currency.default("USD"),
  period: z.enum(budgetPeriods),
  hard: z.boolean().default(false),
  thresholds: thresholds.default([50, 80, 100]),
  notify: notify.default({ emails: [], webhooks: [] }),
});
export type CreateBudget = z.infer<typeof createBudget>;

/** Subject, currency and period stay: another of these is another budget. */
export const updateBudget = z.strictObject({
  name: displayName.optional(),
  amount: amount.optional(),
  hard: z.boolean().optional(),
  thresholds: thresholds.optional(),
  notify: z.strictObject({ emails: emails.optional(), webhooks: webhooks.optional() }).optional(),
});
export type UpdateBudget = z.infer<typeof updateBudget>;

export const budgetsQuery = listQuery.extend({
  subject_type: z.enum(["organization", "project", "key"]).optional(),
  subject_id: z.string().max(64).optional(),
});
export type BudgetsQuery = z.infer<typeof budgetsQuery>;
