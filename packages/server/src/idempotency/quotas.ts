/** @file How much each project keeps: counted now and then, and added to in between. */
import { AppError } from "@gristmill/contract";
import type { Database } from "../db/index.ts";
import { isKnown, type Place, usedBy } from "./store.ts";

/** What one project may keep at most, nearly: several servers count together only every minute. */
export interface QuotaLimits {
  readonly answers: number;
  readonly bytes: number;
}

interface Use {
  answers: number;
  bytes: number;
}

/** Projects of which a count is held. */
const mostProjects = 10_000;

/** Of the projects that used keys since the last count. */
export class Quotas {
  readonly #db: Database;
  readonly #limits: QuotaLimits;
  readonly #uses = new Map<string, Use>();
  readonly #touched = new Set<string>();

  constructor(db: Database, limits: QuotaLimits) {
    this.#db = db;
    this.#limits = limits;
  }

  /** @throws AppError `limit.exceeded` for a new key of a project that keeps too many. */
  async check(place: Place): Promise<void> {
    const { answers } = this.#limits;
    if ((this.#uses.get(place.projectId)?.answers ?? 0) < answers) return;
    if (await isKnown(this.#db, place)) return;
    const subject = { type: "project", id: place.projectId };
    throw new AppError("limit.exceeded", `The project has used ${answers} Idempotency-Keys within a day.`, {
      details: { limit: answers, metric: "idempotency_keys", subject, remaining: 0, retry_after_ms: 60_000 },
    });
  }

  /** True when no more bytes may be kept. */
  isFull(projectId: string): boolean {
    return (this.#uses.get(projectId)?.bytes ?? 0) >= this.#limits.bytes;
  }

  /** A key was claimed (0 bytes), or so many bytes were kept. */
  added(projectId: string, bytes: number): void {
    const use = this.#uses.get(projectId) ?? { answers: 0, bytes: 0 };
    use.answers += bytes === 0 ? 1 : 0;
    use.bytes += bytes;
    if (!this.#uses.has(projectId) && this.#uses.size >= mostProjects) return;
    this.#uses.set(projectId, use);
    this.#touched.add(projectId);
  }

  /** Counts again; forgets the projects that did nothing meanwhile. */
  async refresh(): Promise<void> {
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const projectId of this.#uses.keys()) {
      const use = this.#uses.get(projectId);
      const isOver = use !== undefined && (use.answers >= this.#limits.answers || use.bytes >= this.#limits.bytes);
      if (!touched.includes(projectId) && !isOver) this.#uses.delete(projectId);
      else this.#uses.set(projectId, await usedBy(this.#db, projectId));
    }
  }
}
