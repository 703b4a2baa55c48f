/** @file Rules of budgets. */
import {
  AppError,
  type Budget,
  type BudgetsQuery,
  type CreateBudget,
  type OrganizationId,
  type UpdateBudget,
} from "@gristmill/contract";
import { platformCurrency } from "../billing/index.ts";
import type { Database } from "../db/index.ts";
import type { Caller } from "../http/index.ts";
import type { NewId } from "../ids.ts";
import { changeRules, type PriceList, type RuleSource } from "../metering/index.ts";
import type { Notifications } from "../notifications/index.ts";
import { holdOpenClaims, notePassed, openAllowance } from "./opening.ts";
import { readStates } from "./state.ts";
import {
  type BudgetRow,
  countBudgets,
  deleteBudget,
  findBudget,
  findSubject,
  listBudgets,
  putBudget,
  type Sight,
  toRule,
} from "./store.ts";
import { budgetToWire } from "./wire.ts";

/** What the service is made from. */
export interface BudgetServiceParts {
  readonly db: Database;
  readonly newId: NewId;
  readonly prices: RuleSource<PriceList>;
  readonly notifications: Pick<Notifications, "deliveriesOf" | "missingWebhooks">;
  /** Called when thresholds may have been passed. */
  readonly onChanged: () => void;
}

const maxBudgets = 500;

/** Budgets of organizations. */
export class BudgetService {
  readonly #parts: BudgetServiceParts;

  constructor(parts: BudgetServiceParts) {
    this.#parts = parts;
  }

  /**
   * Holds from this moment on, on every server; what was spent in the period counts, and what is under way is reserved.
   * @throws AppError `request.invalid` for a currency, a subject or a webhook that is not there; `budget.too_many`.
   */
  async create({ organizationId }: Caller, input: CreateBudget): Promise<Budget> {
    const { db, newId, prices, onChanged } = this.#parts;
    if (input.currency !== platformCurrency.code)
      throw new AppError("request.invalid", `body.currency: expected ${platformCurrency.code}, the price book's.`);
    await this.#checkWebhooks(organizationId, input.notify.webhooks);
    const id = newId("budget");
    await changeRules(db, async (transaction) => {
      if ((await countBudgets(transaction, organizationId)) >= maxBudgets)
        throw new AppError("budget.too_many", `An organization has ${maxBudgets} budgets at most.`);
      if ((await findSubject(transaction, organizationId, input.subject)) === undefined)
        throw new AppError(
          "request.invalid",
          `body.subject: the organization has no ${input.subject.type} "${input.subject.id}".`,
        );
      await putBudget(transaction, {
        id,
        organization_id: organizationId,
        name: input.name,
        subject_type: input.subject.type,
        subject_id: input.subject.id,
        amount: input.amount,
        currency: input.currency,
        period: input.period,
        hard: input.hard,
        thresholds: input.thresholds.map(String),
        emails: input.notify.emails,
        webhooks: input.notify.webhooks,
      });
      const budget = toRule(found(await findBudget(transaction, { organizationId, projectId: null }, id), id));
      await openAllowance(transaction, budget);
      await holdOpenClaims(transaction, budget, await prices.load(transaction));
      await notePassed(transaction, budget);
    });
    onChanged();
    return await this.#show({ organizationId, projectId: null }, id);
  }

  /** @throws AppError `budget.not_found`. */
  async get(caller: Caller, id: string): Promise<Budget> {
    return await this.#show(sightOf(caller), id);
  }

  /** A page, with one more than `limit` when there is one. */
  async list(caller: Caller, query: BudgetsQuery): Promise<readonly Budget[]> {
    return await this.#wire(await listBudgets(this.#parts.db, sightOf(caller), query));
  }

  /** @throws AppError `budget.not_found`; `request.invalid` for a webhook that is not there. */
  async update({ organizationId }: Caller, id: string, input: UpdateBudget): Promise<Budget> {
    const { db, prices, onChanged } = this.#parts;
    const sight = { organizationId, projectId: null };
    await this.#checkWebhooks(organizationId, input.notify?.webhooks ?? []);
    await changeRules(db, async (transaction) => {
      const before = found(await findBudget(transaction, sight, id), id);
      await putBudget(transaction, {
        ...before,
        name: input.name ?? before.name,
        amount: input.amount ?? before.amount,
        hard: input.hard ?? before.hard,
        thresholds: input.thresholds?.map(String) ?? before.thresholds,
        emails: input.notify?.emails ?? before.emails,
        webhooks: input.notify?.webhooks ?? before.webhooks,
      });
      const budget = toRule(found(await findBudget(transaction, sight, id), id));
      if (!before.hard) await holdOpenClaims(transaction, budget, await prices.load(transaction));
      await notePassed(transaction, budget);
    });
    onChanged();
    return await this.#show(sight, id);
  }

  /** With its alerts; what is under way ends as if it had not been. @throws AppError `budget.not_found`. */
  async delete({ organizationId }: Caller, id: string): Promise<void> {
    await changeRules(this.#parts.db, async (transaction) => {
      found(await findBudget(transaction, { organizationId, projectId: null }, id), id);
      await deleteBudget(transaction, id);
    });
  }

  async #checkWebhooks(organizationId: OrganizationId, ids: readonly string[]): Promise<void> {
    const missing = await this.#parts.notifications.missingWebhooks(organizationId, ids);
    if (missing.length === 0) return;
    throw new AppError("request.invalid", `body.notify.webhooks: the organization has no ${missing.join(", ")}.`);
  }

  async #show(sight: Sight, id: string): Promise<Budget> {
    const row = found(await findBudget(this.#parts.db, sight, id), id);
    const [wire] = await this.#wire([row]);
    if (wire === undefined) throw notFound(id);
    return wire;
  }

  async #wire(rows: readonly BudgetRow[]): Promise<readonly Budget[]> {
    const { db, notifications } = this.#parts;
    const states = await readStates(db, rows);
    const alerts = [...states.values()].flatMap((state) => state.alerts.map(({ id }) => id));
    const deliveries = Map.groupBy(await notifications.deliveriesOf(alerts), (delivery) => delivery.message_id);
    return rows.flatMap((row) => {
      const state = states.get(row.id);
      return state === undefined ? [] : [budgetToWire(row, state, deliveries)];
    });
  }
}

/** Who may look at the organization's usage sees all of its budgets; others those of their project. */
const sightOf = ({ kind, organizationId, projectId, scopes }: Caller): Sight => ({
  organizationId,
  projectId: kind === "admin" || scopes.has("organization:usage") || scopes.has("budgets:write") ? null : projectId,
});

const notFound = (id: string): AppError => new AppError("budget.not_found", `There is no budget "${id}".`);

function found(row: BudgetRow | undefined, id: string): BudgetRow {
  if (row === undefined) throw notFound(id);
  return row;
}
