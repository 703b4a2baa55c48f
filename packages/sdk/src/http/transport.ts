/** @file One call: the URL, the headers, the time limit, the retries, the errors. */
import { setTimeout as delay } from "node:timers/promises";
import { errorOf, GristmillError } from "./errors.ts";
import { connectionError, mayRetry, retryDelayMs } from "./retry.ts";

/** Where and as whom to call, and with what patience. */
export interface GristmillOptions {
  /** Such as "http://127.0.0.1:7070". */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Name or id of the project that the admin key acts in; project keys act in their own and need none. */
  readonly project?: string;
  /** Default: the platform's own. */
  readonly fetch?: typeof fetch;
  /** Longest time for one attempt of a call that answers at once; default 60,000. Uploads, downloads and event streams have none. */
  readonly timeoutMs?: number;
  /** Attempts after the first; default 3. */
  readonly maxRetries?: number;
  /** In [0, 1): spreads the waits between attempts. Default Math.random. */
  readonly random?: () => number;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call and its waits; the call then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Values of a query string; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** One request, before it has a host. */
export interface Call extends CallOptions {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; must be readable again for a retry, as blobs, bytes and forms are. */
  readonly body?: Blob | FormData | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** True: no time limit. */
  readonly unlimited?: boolean;
  /** Statuses beside 2xx that are answers, not failures. */
  readonly accept?: readonly number[];
}

/** Makes calls. One transport serves all resources of a client. */
export class Transport {
  readonly #options: GristmillOptions;
  readonly #base: string;

  constructor(options: GristmillOptions) {
    this.#options = options;
    const base = URL.parse(options.baseUrl);
    if (base === null || !/^https?:$/.test(base.protocol))
      throw new TypeError(
        `Gristmill: baseUrl: expected an address such as http://127.0.0.1:7070, received "${options.baseUrl}"`,
      );
    this.#base = base.href.replace(/\/+$/, "");
  }

  /** Makes the call until it is answered or no further attempt is allowed. @throws GristmillError */
  async send(call: Call): Promise<Response> {
    const { maxRetries = 3, random = Math.random } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const failure = await this.#attempt(call);
      if (failure instanceof Response) return failure;
      if (attempt > maxRetries || !mayRetry(failure, call.method)) throw failure;
      await this.pause(retryDelayMs(attempt, failure.retryAfterMs, random()), call.signal);
    }
  }

  /** Makes the call and reads its JSON, which the server's own schema has checked. */
  async json<T>(call: Call): Promise<T> {
    const response = await this.send(call);
    const text = await response.text();
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      const message = `${call.method} ${call.path}: expected JSON, received ${text.slice(0, 80)}`;
      throw new GristmillError(
        message,
        { code: "client.unexpected_answer", status: response.status, help: "Is this address a Gristmill's?" },
        cause,
      );
    }
  }

  /** Waits; fails with the signal's reason when that comes first. */
  async pause(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (cause) {
      signal?.throwIfAborted();
      throw cause;
    }
  }

  async #attempt(call: Call): Promise<Response | GristmillError> {
    call.signal?.throwIfAborted();
    const { timeoutMs = 60_000, fetch: doFetch = fetch } = this.#options;
    const limit = call.unlimited === true ? undefined : AbortSignal.timeout(timeoutMs);
    const signals = [call.signal, limit].filter((signal) => signal !== undefined);
    try {
      const body = call.json === undefined ? call.body : JSON.stringify(call.json);
      const response = await doFetch(this.#url(call), {
        method: call.method,
        headers: this.#headers(call),
        ...(body === undefined ? {} : { body }),
        ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
      });
      if (response.ok || call.accept?.includes(response.status)) return response;
      return errorOf(response, await response.text(), Date.now());
    } catch (cause) {
      call.signal?.throwIfAborted();
      if (limit?.aborted === true)
        return new GristmillError(
          `${call.method} ${call.path}: no answer within ${timeoutMs} ms.`,
          { code: "client.timeout", retryable: true, help: "Raise timeoutMs, or see what the server is busy with." },
          cause,
        );
      return connectionError(cause, this.#base);
    }
  }

  #url(call: Call): string {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(call.query ?? {})) if (value !== undefined) query.set(name, `${value}`);
    const text = query.toString();
    return `${this.#base}${call.path}${text === "" ? "" : `?${text}`}`;
  }

  #headers(call: Call): Record<string, string> {
    const { apiKey, project } = this.#options;
    return {
      accept: "application/json",
      authorization: `Bearer ${apiKey}`,
      ...(project === undefined ? {} : { "gristmill-project": project }),
      ...(call.json === undefined ? {} : { "content-type": "application/json" }),
      ...call.headers,
    };
  }
}
