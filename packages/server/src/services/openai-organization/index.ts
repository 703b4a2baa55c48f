/** @file What administrators of an organization read by OpenAI's clients: usage, costs and the audit log. */
import type { Route } from "../../http/index.ts";
import { type AuditLogRouteParts, auditLogRoutes } from "./audit-logs.ts";
import { costsRoutes } from "./costs.ts";
import type { UsageRouteParts } from "./question.ts";
import { usageRoutes } from "./usage.ts";

/** What the routes need. */
export type OpenaiOrganizationParts = UsageRouteParts & AuditLogRouteParts;

/** All routes under /v1/organization. */
export const openaiOrganizationRoutes = (parts: OpenaiOrganizationParts): readonly Route[] => [
  ...usageRoutes(parts),
  ...costsRoutes(parts),
  ...auditLogRoutes(parts),
];
