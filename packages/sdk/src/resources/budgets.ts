import type { Budget, BudgetSubject, CreateBudget, UpdateBudget } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";

/** A budget to be. */
export type NewBudget = Pick<CreateBudget, "name" | "subject" | "amount" | "period"> & Partial<CreateBudget>;

/** Whose budgets. */
export interface BudgetListOptions extends ListOptions {
  readonly subjectType?: BudgetSubject["type"];
  readonly subjectId?: string;
}

/** Budgets: how much may be spent in a period, who is told, and whether work stops. */
export class Budgets {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** With what the current period has spent and holds. */
  list(options: BudgetListOptions = {}): Listing<Budget> {
    const { subjectType, subjectId } = options;
    const filter = { subject_type: subjectType, subject_id: subjectId };
    return new Listing(this.#transport, "/api/budgets", options, filter);
  }

  /** @throws GristmillError `budget.not_found`. */
  get(budget: string, options?: CallOptions): Promise<Budget> {
    return this.#transport.get(path`/api/budgets/${budget}`, options);
  }

  /** What was spent in the current period before counts too. */
  create(body: NewBudget, options?: PostOptions): Promise<Budget> {
    return this.#transport.post("/api/budgets", body, options);
  }

  /** Changes what is named. */
  update(budget: string, body: UpdateBudget, options?: CallOptions): Promise<Budget> {
    return this.#transport.patch(path`/api/budgets/${budget}`, body, options);
  }

  delete(budget: string, options?: CallOptions): Promise<void> {
    return this.#transport.delete(path`/api/budgets/${budget}`, options);
  }
}
