/** @file What is said of a change, before it stands in the chain. */
import type { AuditAction, AuditActorType, AuditDetails, AuditOutcome, OrganizationId } from "@gristmill/contract";

/** Who made a change. */
export interface AuditActor {
  readonly type: AuditActorType;
  /** A key's or a user's id. */
  readonly id: string | null;
}

/** How a change ended. */
export interface Ending {
  readonly outcome: AuditOutcome;
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly targetId: string | null;
}

/** A change that begins. */
export interface Beginning {
  /** "aud_…". */
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly action: AuditAction;
  readonly actor: AuditActor;
  readonly projectId: string | null;
  readonly path: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly details: AuditDetails;
}

/** A change that has ended. */
export type Ended = Beginning & Ending & { /** null: now. */ readonly beganAt: Date | null };

/** What a feature tells by itself of a change that no route's `audit` tells of. What is left out is null or empty. */
export interface AuditRecord {
  readonly organizationId: OrganizationId;
  readonly action: AuditAction;
  readonly actor: AuditActor;
  readonly outcome: "succeeded" | "failed";
  readonly projectId?: string | null;
  readonly targetId?: string | null;
  readonly status?: number | null;
  readonly errorCode?: string | null;
  readonly path?: string | null;
  readonly address?: string | null;
  readonly requestId?: string | null;
  readonly details?: AuditDetails;
}
