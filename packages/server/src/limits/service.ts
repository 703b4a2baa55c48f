/** @file Who may see and change which limits. */
import {
  AppError,
  type CreateLimit,
  type Deleted,
  type Limit,
  type LimitsQuery,
  type Page,
  type UpdateLimit,
} from "@gristmill/contract";
import type { Transaction } from "kysely";
import type { Database } from "../db/index.ts";
import { type Caller, pageOf } from "../http/index.ts";
import type { NewId } from "../ids.ts";
import { changeRules } from "../metering/index.ts";
import {
  countLimits,
  deleteLimit,
  findLimit,
  findSame,
  insertLimit,
  isOwn,
  type LimitRow,
  listLimits,
  type Reach,
  type Session,
  setValue,
} from "./store.ts";

/** Limits of one organization at most: every server keeps all limits in memory. */
const maxLimits = 10_000;

/** Limits of all organizations; every method is told who asks. */
export class LimitsService {
  readonly #db: Database;
  readonly #newId: NewId;

  constructor(db: Database, newId: NewId) {
    this.#db = db;
    this.#newId = newId;
  }

  /** A page of the limits that the caller can see, in the order in which they were made. */
  async list(caller: Caller, query: LimitsQuery): Promise<Page<Limit>> {
    const reach = reachOf(caller);
    if (query.after !== undefined && (await findLimit(this.#db, reach, query.after)) === undefined)
      throw new AppError("request.invalid", `after: there is no limit "${query.after}".`);
    return pageOf(await listLimits(this.#db, reach, query), query.limit, toWire);
  }

  /**
   * Adds a limit; it holds for every request that is admitted from then on.
   * @throws AppError `organization.not_found`, `project.not_found`, `key.not_found`, `limit.conflict`, `limit.too_many`.
   */
  async create({ organizationId }: Caller, { subject, metric, value }: CreateLimit): Promise<Limit> {
    return await changeRules(this.#db, async (transaction) => {
      if (!(await isOwn(transaction, organizationId, subject)))
        throw new AppError(`${subject.type}.not_found`, `There is no ${subject.type} "${subject.id}".`);
      const same = await findSame(transaction, subject, metric);
      if (same !== undefined)
        throw new AppError("limit.conflict", `This ${subject.type} has a limit of ${metric} already.`, {
          details: { limit_id: same.id },
        });
      if ((await countLimits(transaction, organizationId)) >= maxLimits)
        throw new AppError("limit.too_many", `An organization has at most ${maxLimits} limits.`);
      const row = {
        id: this.#newId("limit"),
        organization_id: organizationId,
        subject_type: subject.type,
        subject_id: subject.id,
        metric,
        value: String(value),
      };
      return toWire({ ...row, created_at: await insertLimit(transaction, row) });
    });
  }

  /** Changes how much a limit allows; what was counted stays counted. @throws AppError `limit.not_found`. */
  async update(caller: Caller, id: string, { value }: UpdateLimit): Promise<Limit> {
    return await this.#change(caller, id, async (transaction, row) => {
      await setValue(transaction, id, value);
      return toWire({ ...row, value: String(value) });
    });
  }

  /** Takes a limit away. @throws AppError `limit.not_found`. */
  async delete(caller: Caller, id: string): Promise<Deleted> {
    return await this.#change(caller, id, async (transaction) => {
      await deleteLimit(transaction, id);
      return { id, object: "limit", deleted: true };
    });
  }

  async #change<T>(
    caller: Caller,
    id: string,
    change: (transaction: Transaction<unknown>, row: LimitRow) => Promise<T>,
  ): Promise<T> {
    const find = (session: Session) =>
      getLimit(session, { organizationId: caller.organizationId, projectId: null }, id);
    await find(this.#db); // whoever asks for what is not there holds up nobody
    return await changeRules(this.#db, async (transaction) => await change(transaction, await find(transaction)));
  }
}

/** Who may change limits sees all of the organization's; others those that hold for their project. */
const reachOf = ({ scopes, kind, organizationId, projectId }: Caller): Reach => ({
  organizationId,
  projectId: kind === "admin" || scopes.has("limits:write") ? null : projectId,
});

async function getLimit(session: Session, reach: Reach, id: string): Promise<LimitRow> {
  const row = await findLimit(session, reach, id);
  if (row === undefined) throw new AppError("limit.not_found", `There is no limit "${id}".`);
  return row;
}

const toWire = (row: LimitRow): Limit => ({
  id: row.id,
  object: "limit",
  subject: { type: row.subject_type, id: row.subject_id },
  metric: row.metric,
  value: Number(row.value),
  created_at: row.created_at.toISOString(),
});
