/** @file HTTP face of one's own account, and of becoming a member. */
import { acceptInvitation, currentSession, updateUser, user } from "@gristmill/contract";
import { type Route, route } from "../http/index.ts";
import type { Accounts } from "./accounts.ts";
import type { Desk } from "./desk.ts";
import type { Sessions } from "./sessions.ts";
import { requireOwnPage } from "./visit.ts";
import { userToWire } from "./wire.ts";

const common = {
  tag: "Sign-in",
  access: { known: "a person's own account" },
  charge: { free: "signing in and out" },
} as const;

/** Routes of `/api/user` and `/api/invitations/accept`. */
export function accountRoutes(parts: {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly desk: Desk;
  readonly publicUrl: string | undefined;
}): readonly Route[] {
  const { accounts, sessions, desk, publicUrl } = parts;
  return [
    route({
      ...common,
      method: "GET",
      path: "/api/user",
      summary: "Show one's own account",
      response: user,
      handler: async ({ caller, request }) => {
        const { userId } = await desk.person(caller, request);
        return { body: userToWire(await accounts.get(userId)) };
      },
    }),
    route({
      ...common,
      method: "PATCH",
      path: "/api/user",
      summary: "Change one's own name or password; a new password ends all other sessions",
      audit: { action: "user.updated" },
      body: updateUser,
      response: user,
      handler: async ({ caller, body, request }) => {
        const { userId, visit, session } = await desk.person(caller, request);
        return { body: userToWire(await accounts.update(userId, body, visit, session.row.id)) };
      },
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/invitations/accept",
      summary: "Accept an invitation: with name and password as a new person, or signed in with the token alone",
      access: { public: "who is invited may not be known yet; the token says that somebody wants this person" },
      audit: { none: "sign-in itself tells of the new person and of the invitation, in the organization that invited" },
      body: acceptInvitation,
      response: currentSession,
      successStatus: 201,
      handler: async ({ body, request }) => {
        requireOwnPage(request, publicUrl);
        const visit = desk.visit(request);
        const { sessionToken } = visit;
        const own = sessionToken === undefined ? undefined : await sessions.find(sessionToken);
        if (sessionToken !== undefined && own !== undefined) {
          const { origin, host, "x-csrf-token": token } = request.headers;
          sessions.requireOwnChange(
            { origin, host, csrfToken: token === undefined ? token : String(token) },
            sessionToken,
          );
        }
        return await desk.letIn(await accounts.accept(body, visit, own?.user_id), visit);
      },
    }),
  ];
}
