/** @file HTTP face of members: parse, call, shape the reply. */
import { deleted, listMembers, listOf, type Member, member, memberQuery, updateMember } from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../../http/index.ts";
import type { MemberService } from "./service.ts";
import type { MemberRow } from "./store.ts";

const common = { tag: "Members", charge: { free: "management of the platform itself" } } as const;
const params = z.strictObject({ user: z.string().max(64) });

/** Routes of `/api/members`; members are made by invitations. */
export const memberRoutes = (service: MemberService): readonly Route[] => [
  route({
    ...common,
    method: "GET",
    path: "/api/members",
    summary: "List the organization's members and their roles, or those of one project",
    access: { scope: "organization:read" },
    query: listMembers,
    response: listOf(member),
    handler: async ({ caller, query }) => ({
      body: pageOf(await service.list(caller, query), query.limit, memberToWire),
    }),
  }),
  route({
    ...common,
    method: "PATCH",
    path: "/api/members/:user",
    summary: "Give a member a role, in the organization or (`project`) in one project",
    access: { scope: "members:write" },
    audit: { action: "member.updated" },
    params,
    query: memberQuery,
    body: updateMember,
    response: member,
    handler: async ({ caller, params, query, body }) => ({
      body: memberToWire(await service.update(caller, params.user, body.role, query.project)),
    }),
  }),
  route({
    ...common,
    method: "DELETE",
    path: "/api/members/:user",
    summary: "Remove a member from the organization, or (`project`) from one project",
    access: { scope: "members:write" },
    audit: { action: "member.removed" },
    params,
    query: memberQuery,
    response: deleted,
    handler: async ({ caller, params, query }) => {
      await service.remove(caller, params.user, query.project);
      return { body: { id: params.user, object: "member", deleted: true } };
    },
  }),
];

const memberToWire = (row: MemberRow): Member => ({
  id: row.id,
  object: "member",
  email: row.email,
  name: row.name,
  role: row.role,
  projects: row.projects.map(({ project_id, role }) => ({ project_id, role })),
  created_at: row.created_at.toISOString(),
});
