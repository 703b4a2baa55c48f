/** @file One row of every table that governs a project: people, limits, budgets, the audit log, what waits. */
import { randomBytes } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import type { Database } from "../../db/index.ts";

/** Inserts them for a project of the organization `org_default`. */
export async function insertGovernmentRows(db: Database, projectId: string): Promise<void> {
  for (const row of rowsOf(projectId)) await row.execute(db);
}

const rowsOf = (projectId: string): readonly RawBuilder<unknown>[] => [
  sql`insert into server_instance default values`,
  sql`insert into user_account (id, email, name) values ('usr_x', 'x@example.com', 'X')`,
  sql`insert into session (id, user_id, token_sha256, address, user_agent, created_at, last_seen_at, expires_at)
    values ('ses_x', 'usr_x', ${randomBytes(32)}, '127.0.0.1', 'a browser', now(), now(), now())`,
  sql`insert into identity_provider (id, organization_id, name, issuer, client_id, client_secret, allowed_domains)
    values ('idp_x', 'org_default', 'x', 'https://x.example.com', 'x', ${randomBytes(40)}, '{example.com}')`,
  sql`insert into user_identity (provider_id, subject, user_id) values ('idp_x', 'x', 'usr_x')`,
  sql`insert into used_sign_in_state (state_sha256, expires_at) values (${randomBytes(32)}, now())`,
  sql`insert into sign_in_attempt (subject, drained_at) values (${randomBytes(32)}, now())`,
  sql`insert into membership (organization_id, user_id, role) values ('org_default', 'usr_x', 'owner')`,
  sql`insert into invitation (id, organization_id, email, role, token_sha256, created_at, expires_at)
    values ('inv_x', 'org_default', 'y@example.com', 'viewer', ${randomBytes(32)}, now(), now())`,
  sql`insert into service_account (id, organization_id, name, role) values ('sva_x', 'org_default', 'x', 'viewer')`,
  sql`insert into limit_rule (id, organization_id, subject_type, subject_id, metric, value)
    values ('lim_x', 'org_default', 'key', 'key_x', 'requests_per_minute', 60)`,
  sql`insert into rate_window (id, width_ms) values ('lim_x', 1000)`,
  sql`insert into budget
      (id, organization_id, name, subject_type, subject_id, amount, currency, period, hard, thresholds, emails, webhooks)
    values ('bud_x', 'org_default', 'x', 'project', ${projectId}, 10.5, 'USD', 'month', true, '{50}', '{}', '{}')`,
  sql`insert into allowance (id, used, held) values ('bud_x:2026-01-01', 6.000000000001, 1)`,
  sql`insert into allowance_alert (allowance_id, threshold, used) values ('bud_x:2026-01-01', 5.25, 6)`,
  sql`insert into budget_alert (id, budget_id, allowance_id, threshold, amount, reached_at)
    values ('alr_x', 'bud_x', 'bud_x:2026-01-01', 5.25, 10.5, now())`,
  sql`insert into webhook (id, organization_id, name, url, secret, secret_created_at)
    values ('whk_x', 'org_default', 'x', 'https://x.example.com', ${randomBytes(60)}, now())`,
  sql`insert into delivery (id, organization_id, channel, webhook_id, recipient, message_id, type, body, next_attempt_at)
    values ('dlv_x', 'org_default', 'webhook', 'whk_x', 'whk_x', 'msg_x', 'budget.alert', '{}', now())`,
  sql`insert into audit_chain (organization_id, number, hash) values ('org_default', 1, ${"a".repeat(64)})`,
  sql`insert into audit_entry (organization_id, number, id, previous_hash, hash, action, outcome, actor_type, details,
      began_at, at)
    values ('org_default', 1, 'aud_x', ${"0".repeat(64)}, ${"a".repeat(64)}, 'api_key.created', 'succeeded', 'admin', '{}', now(),
      now())`,
  sql`insert into audit_pending (id, organization_id, action, actor_type, details, began_at)
    values ('aud_y', 'org_default', 'api_key.created', 'admin', '{}', now())`,
  sql`insert into denied_access (minute, route, code, count) values (now(), 'GET /api/keys', 'auth.invalid', 3)`,
  sql`insert into idempotent_answer (project_id, route, key_sha256, fingerprint, state, request_id, sealed, expires_at)
    values (${projectId}, 'POST /api/runs', ${randomBytes(32)}, ${randomBytes(32)}, 'kept', 'req_x', ${randomBytes(60)}, now())`,
  sql`insert into meter (id, project_id, name, event_type, aggregation, unit, dimensions)
    values ('mtr_x', ${projectId}, 'jobs', 'job', 'count', 'job', '{}')`,
  sql`insert into quarantined_event (id, project_id, fingerprint, code, reason, event)
    values ('qtn_x', ${projectId}, ${randomBytes(32)}, 'meter.unknown', 'nothing counts it', '{"id": "1"}')`,
  sql`insert into usage_retirement (before) values ('2020-01-01T00:00:00Z')`,
  sql`insert into stored_hour (project_id, hour, bytes) values (${projectId}, now(), 12345678901)`,
];
