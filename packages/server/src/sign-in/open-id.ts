/** @file OpenID Connect with `openid-client`: authorization code, PKCE, state, nonce, signed ID tokens. Its only import. */
import { AppError, emailAddress, personName } from "@gristmill/contract";
import type { Configuration, CustomFetch } from "openid-client";
import type { GuardedFetch } from "../net/index.ts";

/** Loaded when first used: most servers have no provider. */
const library = () => import("openid-client");

/** How long a provider's metadata and keys are believed. */
const freshMs = 10 * 60_000;

/** Of each request to a provider. */
const timeoutSeconds = 10;

/** How far its clock may be off. */
const skewSeconds = 30;

/** A provider as it is called. */
export interface OpenIdClient {
  /** Of what is remembered: changes when anything of the provider changes. */
  readonly id: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What ties an answer to its request; each is used once. */
export interface Challenge {
  readonly state: string;
  readonly nonce: string;
  /** PKCE's code verifier. */
  readonly verifier: string;
  readonly redirectUri: string;
}

/** What a provider vouches for. */
export interface Claims {
  readonly subject: string;
  /** In lower case. */
  readonly email: string | undefined;
  readonly isEmailVerified: boolean;
  readonly name: string | undefined;
}

/** Calls providers. */
export class OpenId {
  readonly #fetch: GuardedFetch;
  readonly #now: () => Date;
  readonly #known = new Map<string, { readonly configuration: Configuration; readonly until: number }>();

  constructor(parts: { readonly fetch: GuardedFetch; readonly now: () => Date }) {
    this.#fetch = parts.fetch;
    this.#now = parts.now;
  }

  /** Reads what the provider says of itself. @throws AppError `identity_provider.unavailable`, `url.forbidden`. */
  async check(client: OpenIdClient): Promise<void> {
    await this.#configurationOf(client);
  }

  /** Where the browser goes, and what must come back. @throws AppError `identity_provider.unavailable`, `url.forbidden`. */
  async start(
    client: OpenIdClient,
    redirectUri: string,
  ): Promise<{ readonly url: URL; readonly challenge: Challenge }> {
    const openid = await library();
    const configuration = await this.#configurationOf(client);
    const state = openid.randomState();
    const nonce = openid.randomNonce();
    const verifier = openid.randomPKCECodeVerifier();
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: "openid email profile",
      state,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    return { url, challenge: { state, nonce, verifier, redirectUri } };
  }

  /**
   * Trades the code of the provider's answer for what it vouches for. The library checks state, issuer, nonce, audience, times and
   * the ID token's signature.
   * @param answer the query with which the browser came back.
   * @throws AppError `auth.single_sign_on_failed`, `identity_provider.unavailable`, `url.forbidden`.
   */
  async finish(client: OpenIdClient, answer: URLSearchParams, challenge: Challenge): Promise<Claims> {
    const openid = await library();
    const configuration = await this.#configurationOf(client);
    const url = new URL(challenge.redirectUri);
    url.search = answer.toString();
    try {
      const tokens = await openid.authorizationCodeGrant(configuration, url, {
        expectedState: challenge.state,
        expectedNonce: challenge.nonce,
        pkceCodeVerifier: challenge.verifier,
        idTokenExpected: true,
      });
      const idToken = tokens.claims();
      if (idToken === undefined) throw new Error("the provider sent no ID token");
      const told =
        typeof idToken["email"] === "string" || configuration.serverMetadata().userinfo_endpoint === undefined;
      if (told) return claimsOf(idToken.sub, idToken);
      // Many providers tell the address here only.
      return claimsOf(idToken.sub, await openid.fetchUserInfo(configuration, tokens.access_token, idToken.sub));
    } catch (error) {
      throw failureOf(error, openid.AuthorizationResponseError);
    }
  }

  /** What was remembered of a provider is dropped. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  async #configurationOf(client: OpenIdClient): Promise<Configuration> {
    const known = this.#known.get(client.id);
    if (known !== undefined && known.until > this.#now().getTime()) return known.configuration;
    const openid = await library();
    const { issuer, clientId, clientSecret } = client;
    // Basic, unless the provider knows only the other (OpenID Connect Discovery: Basic when it says nothing).
    const [basic, post] = [openid.ClientSecretBasic(clientSecret), openid.ClientSecretPost(clientSecret)];
    const authenticate: typeof basic = (server, ...rest) => {
      const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
      return (methods.includes("client_secret_basic") ? basic : post)(server, ...rest);
    };
    const http = issuer.startsWith("http:") ? [openid.allowInsecureRequests] : [];
    try {
      const configuration = await openid.discovery(
        new URL(issuer),
        clientId,
        { client_secret: clientSecret, [openid.clockTolerance]: skewSeconds },
        authenticate,
        {
          [openid.customFetch]: this.#fetch as CustomFetch,
          timeout: timeoutSeconds,
          execute: [openid.enableNonRepudiationChecks, ...http],
        },
      );
      this.#known.set(client.id, { configuration, until: this.#now().getTime() + freshMs });
      return configuration;
    } catch (cause) {
      const refusal = appErrorIn(cause);
      if (refusal?.code === "url.forbidden") throw refusal;
      throw new AppError("identity_provider.unavailable", `${issuer} does not answer as an OpenID Connect provider.`, {
        cause,
      });
    }
  }
}

/** An address counts as verified only when the provider says exactly so. */
function claimsOf(subject: string, claims: Readonly<Record<string, unknown>>): Claims {
  const { email, email_verified: verified, name } = claims;
  const hasEmail = typeof email === "string" && emailAddress.safeParse(email).success;
  return {
    subject,
    email: hasEmail ? emailAddress.parse(email) : undefined,
    isEmailVerified: verified === true,
    name: typeof name === "string" && personName.safeParse(name).success ? personName.parse(name) : undefined,
  };
}

/** What the provider refused is told to the person; what did not work between the servers is only logged. */
function failureOf(
  error: unknown,
  refused: abstract new (...args: never[]) => Error & { readonly error: string },
): AppError {
  const ours = appErrorIn(error);
  if (ours !== undefined && ours.code !== "url.unreachable") return ours;
  if (ours !== undefined)
    return new AppError("identity_provider.unavailable", "The provider did not answer.", { cause: error });
  // "access_denied" and the like (RFC 6749, 4.1.2.1): a word, whatever a forger may have put there.
  const word = error instanceof refused && /^[a-z_]{1,40}$/.test(error.error) ? ` (${error.error})` : "";
  return new AppError("auth.single_sign_on_failed", `The provider's answer can't be accepted${word}.`, {
    cause: error,
  });
}

/** The library wraps what the guarded way out throws. */
function appErrorIn(error: unknown): AppError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    if (at instanceof AppError) return at;
  return undefined;
}
