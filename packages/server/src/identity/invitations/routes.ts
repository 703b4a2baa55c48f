/** @file HTTP face of invitations: parse, call, shape the reply. */
import {
  createdInvitation,
  createInvitation,
  deleted,
  type Invitation,
  invitation,
  listOf,
  listQuery,
} from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../../http/index.ts";
import type { InvitationRow } from "../tables.ts";
import type { InvitationService } from "./service.ts";

const common = {
  tag: "Members",
  access: { scope: "members:write" },
  charge: { free: "management of the platform itself" },
} as const;

/** Routes of `/api/invitations`; accepting one is sign-in's. */
export const invitationRoutes = (service: InvitationService): readonly Route[] => [
  route({
    ...common,
    method: "GET",
    path: "/api/invitations",
    summary: "List the invitations to the organization, accepted ones too",
    query: listQuery,
    response: listOf(invitation),
    handler: async ({ caller, query }) => ({
      body: pageOf(await service.list(caller, query), query.limit, invitationToWire),
    }),
  }),
  route({
    ...common,
    method: "POST",
    path: "/api/invitations",
    summary: "Invite an address to the organization or to one project; this answer alone holds the token",
    audit: { action: "invitation.sent" },
    body: createInvitation,
    response: createdInvitation,
    successStatus: 201,
    handler: async ({ caller, body }) => {
      const { row, token } = await service.create(caller, body);
      const headers = { "cache-control": "no-store" };
      return { status: 201, headers, body: { ...invitationToWire(row), token } };
    },
  }),
  route({
    ...common,
    method: "DELETE",
    path: "/api/invitations/:invitation",
    summary: "Withdraw an invitation",
    audit: { action: "invitation.deleted" },
    params: z.strictObject({ invitation: z.string().max(64) }),
    response: deleted,
    handler: async ({ caller, params }) => {
      await service.delete(caller, params.invitation);
      return { body: { id: params.invitation, object: "invitation", deleted: true } };
    },
  }),
];

const invitationToWire = (row: InvitationRow): Invitation => ({
  id: row.id,
  object: "invitation",
  email: row.email,
  role: row.role,
  project_id: row.project_id,
  invited_by: row.invited_by,
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  accepted_at: row.accepted_at?.toISOString() ?? null,
});
