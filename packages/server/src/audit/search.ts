/** @file Finding entries of one organization's log. */
import { AppError, type AuditAction, type AuditOutcome } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import type { EntryRow } from "./store.ts";

/** What entries must have; a list is "one of these", what is left out is anything. */
export interface EntryFilter {
  readonly actions?: readonly AuditAction[];
  readonly outcomes?: readonly AuditOutcome[];
  /** Only changes that were made, and logins, which say by their action how they ended. */
  readonly endedWell?: boolean;
  readonly projectIds?: readonly string[];
  readonly actorIds?: readonly string[];
  readonly targetIds?: readonly string[];
  readonly requestId?: string;
  /** Inclusive. */
  readonly from?: Date;
  /** Exclusive. */
  readonly to?: Date;
}

/** Where a page lies. */
export interface EntryPage {
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** Id of the entry before the page. */
  readonly after?: string;
  /** Id of the entry behind the page: the page is the one that ends there. */
  readonly before?: string;
}

type Tables = { audit_entry: EntryRow };

/** A page in its order, and behind it one entry more when there is more. */
export async function findEntries(
  db: Database,
  organizationId: string,
  filter: EntryFilter,
  page: EntryPage,
): Promise<readonly EntryRow[]> {
  const entries = db.withTables<Tables>().selectFrom("audit_entry").where("organization_id", "=", organizationId);
  const numberOf = async (id: string): Promise<string> => {
    const row = await entries.select("number").where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw new AppError("request.invalid", `There is no audit entry "${id.slice(0, 64)}".`);
    return row.number;
  };
  const after = page.after === undefined ? undefined : await numberOf(page.after);
  const before = page.before === undefined ? undefined : await numberOf(page.before);
  // A page before an entry is read backwards from there.
  const isBackwards = before !== undefined && after === undefined;
  const order = isBackwards === (page.order === "asc") ? "desc" : "asc";
  const { actions, outcomes, projectIds, actorIds, targetIds, requestId, from, to, endedWell } = filter;
  const rows = await entries
    .selectAll()
    .$if(actions !== undefined, (query) => query.where("action", "in", [...(actions ?? [])]))
    .$if(outcomes !== undefined, (query) => query.where("outcome", "in", [...(outcomes ?? [])]))
    .$if(endedWell === true, (query) =>
      query.where((entry) => entry.or([entry("outcome", "=", "succeeded"), entry("action", "=", "login.failed")])),
    )
    .$if(projectIds !== undefined, (query) => query.where("project_id", "in", [...(projectIds ?? [])]))
    .$if(actorIds !== undefined, (query) => query.where("actor_id", "in", [...(actorIds ?? [])]))
    .$if(targetIds !== undefined, (query) => query.where("target_id", "in", [...(targetIds ?? [])]))
    .$if(requestId !== undefined, (query) => query.where("request_id", "=", requestId ?? ""))
    .$if(from !== undefined, (query) => query.where("at", ">=", from ?? new Date(0)))
    .$if(to !== undefined, (query) => query.where("at", "<", to ?? new Date(0)))
    .$if(after !== undefined, (query) => query.where("number", page.order === "asc" ? ">" : "<", after ?? ""))
    .$if(before !== undefined, (query) => query.where("number", page.order === "asc" ? "<" : ">", before ?? ""))
    .orderBy("number", order)
    .limit(page.limit + 1)
    .execute();
  return isBackwards ? [...rows.slice(0, page.limit).toReversed(), ...rows.slice(page.limit)] : rows;
}
