/** @file One call: the URL, the headers, the time limit, the retries, the errors. */
import { setTimeout as delay } from "node:timers/promises";
import { errorOf, GristmillError } from "./errors.ts";
import { connectionError, mayRetry, retryDelayMs } from "./retry.ts";

/** Where and as whom to call, and with what patience. */
export interface GristmillOptions {
  /** Such as "http://127.0.0.1:7070". */
  readonly baseUrl: string;
  /** A key, or else a `session`. */
  readonly apiKey?: string;
  /** A signed-in person; `Gristmill.signIn` makes one. */
  readonly session?: SessionCredentials;
  /** Name or id of the organization that the admin key or a person acts in; keys act in their own and need none. */
  readonly organization?: string;
  /** Name or id of the project that the admin key or a person acts in; keys act in their own and need none. */
  readonly project?: string;
  /** Default: the platform's own. */
  readonly fetch?: typeof fetch;
  /** Longest time for one attempt of a call that answers at once; default 60,000. Uploads, downloads and event streams have none. */
  readonly timeoutMs?: number;
  /** Attempts after the first; default 3. */
  readonly maxRetries?: number;
  /** Told of each failed attempt that is followed by another one. */
  readonly onRetry?: (retry: Retry) => void;
  /** In [0, 1): spreads the waits between attempts. Default Math.random. */
  readonly random?: () => number;
}

/** What a browser would keep of a sign-in. */
export interface SessionCredentials {
  /** Value of the header `cookie`. */
  readonly cookie: string;
  readonly csrfToken: string;
}

/** An attempt that failed, and the pause before the next one. */
export interface Retry {
  /** From 1. */
  readonly attempt: number;
  readonly error: GristmillError;
  readonly delayMs: number;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call and its waits; the call then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What every call takes that makes or starts something. */
export interface PostOptions extends CallOptions {
  /**
   * Names this piece of work for 24 hours: calls with the same key and body are worked on once and charged once. Give one
   * where your own program may repeat a call after its end. Default: a new key a call, shared by all its attempts.
   */
  readonly idempotencyKey?: string | undefined;
}

/** Values of a query string; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** One request, before it has a host. */
export interface Call extends PostOptions {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; must be the same bytes at each attempt, as blobs are (and forms are not: their boundary changes). */
  readonly body?: Blob | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** True: no time limit. */
  readonly unlimited?: boolean;
  /** True for a POST of a public route, whose answers nobody keeps: it has no idempotency key, and is not repeated when its answer is lost. */
  readonly once?: boolean;
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
    const { maxRetries = 3, random = Math.random, onRetry } = this.#options;
    const headers = this.#headers(call);
    for (let attempt = 1; ; attempt++) {
      const failure = await this.#attempt(call, headers);
      if (failure instanceof Response) return failure;
      if (attempt > maxRetries || !mayRetry(failure, call.once === true ? "once" : call.method)) throw failure;
      const delayMs = retryDelayMs(attempt, failure.retryAfterMs, random());
      onRetry?.({ attempt, error: failure, delayMs });
      await this.pause(delayMs, call.signal);
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

  /** Reads JSON from a path. */
  get<T>(path: string, options?: CallOptions, query: Query = {}): Promise<T> {
    return this.json({ method: "GET", path, query, ...options });
  }

  /** Sends JSON, or nothing where `body` is undefined, and reads the answer's JSON. */
  post<T>(path: string, body: unknown, options?: PostOptions): Promise<T> {
    return this.json({ method: "POST", path, json: body, ...options });
  }

  /** Changes the named fields. */
  patch<T>(path: string, body: unknown, options?: CallOptions): Promise<T> {
    return this.json({ method: "PATCH", path, json: body, ...options });
  }

  /** Deletes; what the answer says is not needed. */
  async delete(path: string, options?: CallOptions): Promise<void> {
    await (await this.send({ method: "DELETE", path, ...options })).body?.cancel();
  }

  /** A body that may be long, as it comes. */
  async stream(call: Call): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const response = await this.send({ ...call, unlimited: true });
    return response.body ?? new Blob([]).stream();
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

  async #attempt(call: Call, headers: Readonly<Record<string, string>>): Promise<Response | GristmillError> {
    call.signal?.throwIfAborted();
    const { timeoutMs = 60_000, fetch: doFetch = fetch } = this.#options;
    const limit = call.unlimited === true ? undefined : AbortSignal.timeout(timeoutMs);
    const signals = [call.signal, limit].filter((signal) => signal !== undefined);
    try {
      const body = call.json === undefined ? call.body : JSON.stringify(call.json);
      const response = await doFetch(this.#url(call), {
        method: call.method,
        headers,
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

  /** Made once a call, so that all attempts carry the same idempotency key. */
  #headers(call: Call): Record<string, string> {
    const { apiKey, session, organization, project } = this.#options;
    return {
      accept: "application/json",
      ...(apiKey === undefined || apiKey === "" ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(session === undefined ? {} : { cookie: session.cookie, "x-csrf-token": session.csrfToken }),
      ...(organization === undefined ? {} : { "gristmill-organization": organization }),
      ...(project === undefined ? {} : { "gristmill-project": project }),
      ...(call.json === undefined ? {} : { "content-type": "application/json" }),
      ...(call.method === "POST" && call.once !== true
        ? { "idempotency-key": call.idempotencyKey ?? crypto.randomUUID() }
        : {}),
      ...call.headers,
    };
  }
}
