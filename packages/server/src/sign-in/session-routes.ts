/** @file HTTP face of sessions. */
import { createSession, currentSession, deleted, listOf, listQuery, session } from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../http/index.ts";
import type { Accounts } from "./accounts.ts";
import { setCookie } from "./cookies.ts";
import { type Desk, unstored } from "./desk.ts";
import type { Sessions } from "./sessions.ts";
import { requireOwnPage } from "./visit.ts";
import { sessionToWire } from "./wire.ts";

const common = {
  tag: "Sign-in",
  access: { known: "a person's own sessions" },
  charge: { free: "signing in and out" },
} as const;

/** Routes of `/api/session` and `/api/sessions`. */
export function sessionRoutes(parts: {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly desk: Desk;
  readonly publicUrl: string | undefined;
}): readonly Route[] {
  const { accounts, sessions, desk, publicUrl } = parts;
  return [
    route({
      ...common,
      method: "POST",
      path: "/api/sessions",
      summary: "Sign in with e-mail address and password; the session's cookie comes with the answer",
      access: { public: "who signs in is not known yet" },
      audit: { none: "sign-in itself tells of a login, in every organization of the person" },
      body: createSession,
      response: currentSession,
      successStatus: 201,
      handler: async ({ body, request }) => {
        requireOwnPage(request, publicUrl);
        const visit = desk.visit(request);
        return await desk.letIn(await accounts.signIn(body, visit), visit);
      },
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/session",
      summary: "Show one's own session, with its CSRF token",
      response: currentSession,
      handler: async ({ caller, request }) => ({
        headers: unstored,
        body: await desk.show((await desk.person(caller, request)).session),
      }),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/session",
      summary: "Sign out",
      audit: { action: "logout.succeeded" },
      response: deleted,
      handler: async ({ caller, request }) => {
        const { userId, visit, session: own } = await desk.person(caller, request);
        await sessions.end(userId, own.row.id);
        return {
          headers: unstored,
          cookies: [setCookie("gristmill_session", null, visit)],
          body: { id: own.row.id, object: "session", deleted: true },
        };
      },
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/sessions",
      summary: "List one's own sessions",
      query: listQuery,
      response: listOf(session),
      handler: async ({ caller, query, request }) => {
        const { userId, session: own } = await desk.person(caller, request);
        const rows = await sessions.list(userId, query);
        return { body: pageOf(rows, query.limit, (row) => sessionToWire(row, own.row.id)) };
      },
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/sessions/:session",
      summary: "End one of one's own sessions",
      audit: { action: "session.ended" },
      params: z.strictObject({ session: z.string().max(64) }),
      response: deleted,
      handler: async ({ caller, params, request }) => {
        const { userId } = await desk.person(caller, request);
        await sessions.end(userId, params.session);
        return { body: { id: params.session, object: "session", deleted: true } };
      },
    }),
  ];
}
