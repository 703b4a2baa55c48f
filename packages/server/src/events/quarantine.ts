/** @file Rules of events that were set aside: kept with the reason, tried again, or thrown away with one. */
import { AppError, type Page, type ProjectId, type QuarantinedEvent, type QuarantineQuery } from "@gristmill/contract";
import { pageOf } from "../http/index.ts";
import type { NewId } from "../ids.ts";
import type { Problem } from "./cloud-event.ts";
import type { NewQuarantined, QuarantineRow, QuarantineStore } from "./quarantine-store.ts";
import type { Sender } from "./sender.ts";

/** Events that wait in one project at most. */
const defaultMost = 10_000;

/** What the quarantine is made from. */
export interface QuarantineDeps {
  readonly store: QuarantineStore;
  readonly newId: NewId;
  readonly most?: number;
}

/** Counts an event that waited, and puts it on the ledger; answers with what is still wrong with it. */
export type Recount = (sender: Sender, value: unknown) => Promise<Problem | undefined>;

/** Events that could not be counted. */
export class Quarantine {
  readonly #deps: QuarantineDeps;

  constructor(deps: QuarantineDeps) {
    this.#deps = deps;
  }

  /** Sets events aside; their ids, in order. @throws AppError `quarantine.full`, with nothing set aside. */
  async add({ projectId, keyId }: Sender, events: readonly Omit<NewQuarantined, "id">[]): Promise<readonly string[]> {
    if (events.length === 0) return [];
    const { store, newId, most = defaultMost } = this.#deps;
    const named = events.map((event) => ({ ...event, id: newId("quarantined") }));
    const ids = await store.add(projectId, keyId, named, most);
    if (ids !== undefined) return ids;
    throw new AppError(
      "quarantine.full",
      `${events.length} of these events can't be counted (the first: ${events[0]?.problem.reason ?? ""}), and of at most ${most} that may wait too many do.`,
    );
  }

  /** A page of a project's events in one state. */
  async list(projectId: ProjectId, query: QuarantineQuery): Promise<Page<QuarantinedEvent>> {
    return pageOf(await this.#deps.store.page(projectId, query), query.limit, toWire);
  }

  /** @throws AppError `quarantine.not_found`. */
  async get(projectId: ProjectId, id: string): Promise<QuarantinedEvent> {
    return toWire(await this.#find(projectId, id));
  }

  /**
   * Counts it as if it came now from whoever sent it. Replayed twice, by whomever, it counts once: the ledger knows it.
   * @throws AppError `event.invalid` when it still can't be counted; it goes on waiting, with the new reason.
   */
  async replay(projectId: ProjectId, id: string, recount: Recount): Promise<QuarantinedEvent> {
    const { store } = this.#deps;
    const row = await this.#waiting(projectId, id);
    const problem = await recount({ projectId, keyId: row.key_id }, JSON.parse(row.event));
    if (problem !== undefined) {
      await store.explain(projectId, id, problem);
      throw new AppError("event.invalid", `${problem.reason}.`, { details: { ...problem } });
    }
    return toWire((await store.resolveReplayed(projectId, id)) ?? row);
  }

  /** Throws it away; that it was, and why, stays to be seen for a while. @throws AppError `quarantine.resolved`. */
  async discard(projectId: ProjectId, id: string, reason: string): Promise<QuarantinedEvent> {
    await this.#waiting(projectId, id);
    const row = await this.#deps.store.discard(projectId, id, reason);
    if (row === undefined) throw resolved(id);
    return toWire(row);
  }

  async #waiting(projectId: ProjectId, id: string): Promise<QuarantineRow> {
    const row = await this.#find(projectId, id);
    if (row.status !== "waiting") throw resolved(id);
    return row;
  }

  async #find(projectId: ProjectId, id: string): Promise<QuarantineRow> {
    const row = await this.#deps.store.find(projectId, id);
    if (row === undefined)
      throw new AppError("quarantine.not_found", `This project has no event "${id}" that was set aside.`);
    return row;
  }
}

const resolved = (id: string): AppError =>
  new AppError("quarantine.resolved", `"${id}" does not wait any more: it was replayed or discarded.`);

const toWire = (row: QuarantineRow): QuarantinedEvent => ({
  id: row.id,
  object: "quarantined_event",
  status: row.status,
  code: row.code,
  reason: row.reason,
  event: JSON.parse(row.event),
  key_id: row.key_id,
  received_at: row.received_at.toISOString(),
  received: row.received,
  resolved_at: row.resolved_at?.toISOString() ?? null,
  discard_reason: row.discard_reason,
});
