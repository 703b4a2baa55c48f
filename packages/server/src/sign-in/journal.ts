/** @file What sign-in tells the audit log itself: what happens before anybody is known to the request pipeline. */
import type { AuditAction, OrganizationId, UserId } from "@gristmill/contract";
import type { Transaction } from "kysely";
import type { Audit, AuditRecord } from "../audit/index.ts";
import type { Log } from "../feature.ts";
import type { Memberships } from "../identity/index.ts";
import type { Visit } from "./visit.ts";

/** What the journal needs. */
export interface JournalParts {
  readonly audit: Pick<Audit, "record">;
  readonly memberships: Pick<Memberships, "membershipsOf">;
  readonly log: Log;
}

/** What a person did. */
export interface Told {
  readonly of: UserId;
  readonly action: AuditAction;
  /** Default: succeeded. */
  readonly outcome?: "succeeded" | "failed";
  readonly targetId: string;
}

/** Enters what a person does into the log of every organization that the person belongs to. */
export class Journal {
  readonly #parts: JournalParts;
  readonly #telling = new Set<Promise<void>>();

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  async tell(visit: Visit, told: Told): Promise<void> {
    const { audit, memberships } = this.#parts;
    const organizations = (await memberships.membershipsOf(told.of)).map(({ organizationId }) => organizationId);
    for (const organizationId of new Set(organizations)) await audit.record(recordOf(visit, told, organizationId));
  }

  /** Beside the answer: the time of writing must not tell a guesser that there is such an account. */
  tellOfFailure(visit: Visit, userId: UserId): void {
    const telling = this.tell(visit, { of: userId, action: "login.failed", outcome: "failed", targetId: userId })
      .catch((err) =>
        this.#parts.log.error({ err, user_id: userId }, "A failed login was not entered into the audit log."),
      )
      .finally(() => this.#telling.delete(telling));
    this.#telling.add(telling);
  }

  /** Resolves when nothing is being entered. */
  async settled(): Promise<void> {
    await Promise.all(this.#telling);
  }

  /** In one organization, as part of a transaction. */
  async tellOne(
    visit: Visit,
    { organizationId, ...told }: Told & { readonly organizationId: OrganizationId },
    transaction: Transaction<unknown>,
  ): Promise<void> {
    await this.#parts.audit.record(recordOf(visit, told, organizationId), transaction);
  }
}

const recordOf = ({ path, address, requestId }: Visit, told: Told, organizationId: OrganizationId): AuditRecord => ({
  organizationId,
  action: told.action,
  outcome: told.outcome ?? "succeeded",
  // Who failed to sign in is nobody yet: the account that was tried is the target.
  actor: told.outcome === "failed" ? { type: "anonymous", id: null } : { type: "user", id: told.of },
  targetId: told.targetId,
  path,
  address,
  requestId,
});
