import { Gristmill, type Retry, type SessionCredentials } from "@gristmill/sdk";
import { CliError } from "./failure.ts";
import { defaultUrl, type Env, findServer, homeOf, readAdminKey } from "./home.ts";
import type { Interrupts } from "./interrupts.ts";
import { readSession } from "./saved-session.ts";
import type { Output } from "./terminal/output.ts";
import { formatSeconds } from "./terminal/words.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  readonly url?: string;
  readonly key?: string;
  readonly organization?: string;
  readonly project?: string;
  readonly json?: boolean;
}

/** Where and as whom to call, and how that was found out. */
export interface Connection {
  readonly url: string;
  readonly as: { readonly apiKey: string } | { readonly session: SessionCredentials };
}

/** A client, what a command says, and what stops it. */
export interface Connected {
  readonly client: Gristmill;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** The organization that was asked for by name or id. */
  readonly organization: string | undefined;
}

/** Shorter waits pass unnoticed. */
const silentWaitMs = 2000;

/** What a command works with: the connection, what it says, and what stops it. */
export class Session {
  readonly output: Output;
  readonly env: Env;
  readonly interrupts: Interrupts;
  readonly #options: GlobalOptions;
  #person: string | undefined;

  constructor(parts: { output: Output; env: Env; interrupts: Interrupts; options: GlobalOptions }) {
    this.output = parts.output;
    this.env = parts.env;
    this.interrupts = parts.interrupts;
    this.#options = parts.options;
  }

  /** The data folder. */
  get home(): string {
    return homeOf(this.env);
  }

  /** Aborted by Ctrl-C. */
  get signal(): AbortSignal {
    return this.interrupts.signal;
  }

  /** E-mail address of who signed in, when the command acts as them. */
  get person(): string | undefined {
    return this.#person;
  }

  /** Flags, then the environment, then what the local home knows. */
  async url(): Promise<string> {
    return this.#options.url || this.env["GRISTMILL_URL"] || (await findServer(this.home))?.url || defaultUrl(this.env);
  }

  /** A key that was given, else the person who signed in, else the home's admin key. @throws CliError when there is none of these. */
  async connection(): Promise<Connection> {
    const url = await this.url();
    const given = this.#options.key || this.env["GRISTMILL_KEY"] || this.env["GRISTMILL_ADMIN_KEY"];
    if (given) return { url, as: { apiKey: given } };
    const session = await readSession(this.home, url);
    this.#person = session?.email;
    if (session !== undefined) return { url, as: { session } };
    const apiKey = await readAdminKey(this.home);
    if (apiKey !== undefined) return { url, as: { apiKey } };
    throw new CliError(
      "cli.no_key",
      `No key for ${url}, and no platform was ever started on ${this.home}.`,
      "Start one with `gristmill up`, give --key or GRISTMILL_KEY, or sign in with `gristmill login`.",
    );
  }

  /** What almost every command needs. */
  async connected(): Promise<Connected> {
    const { organization } = this.#options;
    return { client: await this.client(), output: this.output, signal: this.signal, organization };
  }

  /** A client for the connection. */
  async client(): Promise<Gristmill> {
    const { url, as } = await this.connection();
    const { organization, project } = this.#options;
    return new Gristmill({
      baseUrl: url,
      ...as,
      ...(organization === undefined ? {} : { organization }),
      ...(project === undefined ? {} : { project }),
      onRetry: (retry) => this.#sayRetry(retry),
    });
  }

  /** A wait without a word would look like a hang. */
  #sayRetry({ error, delayMs }: Retry): void {
    if (delayMs < silentWaitMs || this.output.json) return;
    this.output.note(
      this.output.err.paint("faint", `  ${error.message} Trying again in ${formatSeconds(delayMs / 1000)}.`),
    );
  }
}
