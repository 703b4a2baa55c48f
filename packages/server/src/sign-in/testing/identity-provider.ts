/** @file A real OpenID Connect provider (`oidc-provider`) on a real port, whose people sign in as soon as they come. */
import { generateKeyPair } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import Provider, { type JWK, type KoaContextWithOIDC } from "oidc-provider";
import { WanderingBrowser } from "./wandering.ts";

/** Somebody whom the provider knows. */
export interface TestPerson {
  readonly subject: string;
  /** As they are told; left out: not told. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A running provider. */
export interface TestIdentityProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the provider may send browsers. */
  readonly redirectUris: Set<string>;
  /** Who sits at the browser that comes next; null: refuses to sign in. */
  person: TestPerson | null;
  /** What our server asked for: "POST /token". */
  readonly asked: string[];
  /**
   * Follows the provider's own redirects, as a browser does, with the provider's own cookies.
   * @returns where it sends the browser back: our callback with its answer.
   */
  signIn(url: string): Promise<URL>;
  close(): Promise<void>;
}

const clientId = "gristmill";
const clientSecret = "the secret of gristmill at its provider";

/** Listens on 127.0.0.1. @param options `idToken`: tells the address in the ID token already. */
export async function testIdentityProvider(
  options: { readonly idToken?: boolean; readonly method?: "client_secret_basic" | "client_secret_post" } = {},
): Promise<TestIdentityProvider> {
  const { idToken = false, method = "client_secret_basic" } = options;
  const redirectUris = new Set<string>();
  const asked: string[] = [];
  const people = new Map<string, TestPerson>();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: ["https://registered-later.invalid/"],
        token_endpoint_auth_method: method,
      },
    ],
    clientAuthMethods: [method],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: !idToken,
    cookies: { keys: ["a key of this test's cookies"] },
    jwks: { keys: [await signingKey()] },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, accountId) => ({
      accountId,
      claims: async () => ({ ...people.get(accountId)?.claims, sub: accountId }),
    }),
    loadExistingGrant: grantAll,
  });
  // Which redirects belong to the client is known only after our server has given the provider an id.
  provider.Client.prototype.redirectUriAllowed = (uri: string) => redirectUris.has(uri);
  const callback = provider.callback();
  const self: TestIdentityProvider = {
    issuer,
    clientId,
    clientSecret,
    redirectUris,
    person: null,
    asked,
    signIn: (url) => follow(issuer, url),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("request", (request, response) => {
    asked.push(`${request.method} ${request.url?.split("?")[0]}`);
    if (request.url?.startsWith("/interaction/") !== true) return void callback(request, response);
    const { person } = self;
    if (person !== null) people.set(person.subject, person);
    const result = person === null ? { error: "access_denied" } : { login: { accountId: person.subject } };
    void provider.interactionFinished(request, response, result);
  });
  return self;
}

async function signingKey(): Promise<JWK> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  return { ...(privateKey.export({ format: "jwk" }) as JWK), kid: "signing", use: "sig", alg: "RS256" };
}

/** The client is our own server: nobody is asked for consent. */
async function grantAll({ oidc }: KoaContextWithOIDC) {
  const accountId = oidc.session?.accountId;
  if (accountId === undefined || oidc.client === undefined) return undefined;
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId });
  grant.addOIDCScope("openid email profile");
  await grant.save();
  return grant;
}

async function follow(issuer: string, start: string): Promise<URL> {
  const { url, answer } = await new WanderingBrowser().go(start, [issuer]);
  if (answer !== undefined) throw new Error(`the provider answers ${answer.status}: ${await answer.text()}`);
  return url;
}
