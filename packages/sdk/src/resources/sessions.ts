import type { CurrentSession, Session, UpdateUser, User } from "@gristmill/contract";
import { GristmillError } from "../http/errors.ts";
import { Listing, type ListOptions } from "../http/listing.ts";
import { path } from "../http/path.ts";
import type { CallOptions, SessionCredentials, Transport } from "../http/transport.ts";

/** Begins a session: what every further call of the person then carries. */
export async function enter(
  transport: Transport,
  path: string,
  json: object,
  options?: CallOptions,
): Promise<SessionCredentials> {
  const response = await transport.send({ method: "POST", path, json, once: true, ...options });
  const { csrf_token } = (await response.json()) as Partial<CurrentSession>;
  // Without their attributes; one that is emptied takes the place of an old one, and is no credential.
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(";")[0] ?? "");
  const cookie = cookies.filter((text) => !text.endsWith("=")).join("; ");
  if (csrf_token !== undefined && cookie !== "") return { cookie, csrfToken: csrf_token };
  throw new GristmillError("The server signed nobody in: its answer has no session.", {
    code: "client.unexpected_answer",
    status: response.status,
    help: "Is this address a Gristmill's?",
  });
}

/** Sessions of the person who is signed in. */
export class Sessions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One's own session, with account and memberships. @throws GristmillError `auth.missing` for keys. */
  current(options?: CallOptions): Promise<CurrentSession> {
    return this.#transport.get("/api/session", options);
  }

  list(options?: ListOptions): Listing<Session> {
    return new Listing(this.#transport, "/api/sessions", options);
  }

  /** Ends one, on whatever device it is. */
  end(session: string, options?: CallOptions): Promise<void> {
    return this.#transport.delete(path`/api/sessions/${session}`, options);
  }

  /** Ends one's own: this client's next call is refused. */
  signOut(options?: CallOptions): Promise<void> {
    return this.#transport.delete("/api/session", options);
  }
}

/** The account of the person who is signed in. */
export class Account {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get(options?: CallOptions): Promise<User> {
    return this.#transport.get("/api/user", options);
  }

  /** A new password ends all other sessions. */
  update(body: UpdateUser, options?: CallOptions): Promise<User> {
    return this.#transport.patch("/api/user", body, options);
  }
}
