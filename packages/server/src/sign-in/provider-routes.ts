/** @file HTTP face of identity providers, and the two redirects of signing in by one. */
import { AppError, createIdentityProvider, deleted, identityProvider, signInProvider } from "@gristmill/contract";
import { z } from "zod";
import { type Route, route } from "../http/index.ts";
import { setCookie } from "./cookies.ts";
import { type Desk, unstored } from "./desk.ts";
import { ownPath } from "./origin.ts";
import type { Providers } from "./providers.ts";
import type { SingleSignOn } from "./single-sign-on.ts";
import { providerToWire, signInProviderToWire } from "./wire.ts";

const params = z.strictObject({ provider: z.string().max(64) });
const common = { tag: "Single sign-on", charge: { free: "signing in and out" } } as const;
const isPublic = { public: "who signs in is not known yet" } as const;

/** Pages of a redirect are nobody's to keep, and its address holds a code. */
const redirectHeaders = { ...unstored, "referrer-policy": "no-referrer" } as const;

/** Routes of `/api/identity-providers` and `/api/sign-in`. */
export function providerRoutes(parts: {
  readonly providers: Providers;
  readonly singleSignOn: SingleSignOn;
  readonly desk: Desk;
}): readonly Route[] {
  return [...managementRoutes(parts), ...redirectRoutes(parts)];
}

function managementRoutes(parts: { readonly providers: Providers; readonly desk: Desk }): readonly Route[] {
  const { providers, desk } = parts;
  return [
    route({
      ...common,
      method: "GET",
      path: "/api/identity-providers",
      summary: "List the providers that one can sign in by: their names and no more",
      access: isPublic,
      response: z.object({ object: z.literal("list"), data: z.array(signInProvider) }),
      handler: async () => ({ body: { object: "list", data: (await providers.list()).map(signInProviderToWire) } }),
    }),
    route({
      ...common,
      method: "POST",
      path: "/api/identity-providers",
      summary: "Add an OpenID Connect provider, whose people become members of the organization that is acted in",
      access: { scope: "admin" },
      audit: { action: "identity_provider.created" },
      body: createIdentityProvider,
      response: identityProvider,
      successStatus: 201,
      handler: async ({ caller, body, request }) => ({
        status: 201,
        body: providerToWire(await providers.create(caller, body), desk.visit(request)),
      }),
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/identity-providers/:provider",
      summary: "Show a provider, without its secret",
      access: { scope: "admin" },
      params,
      response: identityProvider,
      handler: async ({ params: { provider }, request }) => ({
        body: providerToWire(await providers.get(provider), desk.visit(request)),
      }),
    }),
    route({
      ...common,
      method: "DELETE",
      path: "/api/identity-providers/:provider",
      summary: "Remove a provider; whom it has signed in keep their accounts",
      access: { scope: "admin" },
      audit: { action: "identity_provider.deleted" },
      params,
      response: deleted,
      handler: async ({ params: { provider } }) => {
        await providers.delete(provider);
        return { body: { id: provider, object: "identity_provider", deleted: true } };
      },
    }),
  ];
}

function redirectRoutes({
  singleSignOn,
  desk,
}: {
  readonly singleSignOn: SingleSignOn;
  readonly desk: Desk;
}): readonly Route[] {
  return [
    route({
      ...common,
      method: "GET",
      path: "/api/sign-in/:provider",
      summary: "Sign in by a provider: leads the browser there",
      access: isPublic,
      params,
      query: z.strictObject({
        /** A path of this server, to go on at. */
        return_to: z.string().max(512).default("/"),
        /** The token of an invitation to be accepted by the way. */
        invitation: z.string().min(1).max(256).optional(),
      }),
      successStatus: 302,
      handler: async ({ params: { provider }, query, request }) => {
        const returnTo = ownPath(query.return_to);
        if (returnTo === undefined)
          throw new AppError("request.invalid", "query.return_to: expected a path of this server, such as /runs.");
        const visit = desk.visit(request);
        const { invitation } = query;
        const { url, flow } = await singleSignOn.start(provider, { returnTo, invitation }, visit);
        return {
          status: 302,
          headers: { ...redirectHeaders, location: url },
          cookies: [setCookie("gristmill_sign_in", flow, visit)],
          body: undefined,
        };
      },
    }),
    route({
      ...common,
      method: "GET",
      path: "/api/sign-in/:provider/callback",
      summary: "Where a provider sends the browser back; begins the session",
      access: isPublic,
      params,
      // What a provider adds beside these is its own business.
      query: z.looseObject({ state: z.string().max(512).optional(), code: z.string().max(4096).optional() }),
      successStatus: 302,
      handler: async ({ params: { provider }, request }) => {
        const visit = desk.visit(request);
        const answer = new URLSearchParams(request.url.slice(request.url.indexOf("?") + 1));
        const { session, returnTo } = await singleSignOn.finish(provider, answer, visit);
        return {
          status: 302,
          headers: { ...redirectHeaders, location: returnTo },
          cookies: [setCookie("gristmill_session", session.token, visit), setCookie("gristmill_sign_in", null, visit)],
          body: undefined,
        };
      },
    }),
  ];
}
