/** @file Many calls to places that users name: connections are kept, and none is made that was not checked. */
import { lookup as systemLookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { AppError } from "@gristmill/contract";
import type { Dispatcher, Pool } from "undici";
import { parseAllowedAddresses } from "./address-rules.ts";
import { checkedAddresses, type Gate, unreachable } from "./guarded-call.ts";

/** One call. Nothing bounds it but its signal: answers may be long. */
export interface PooledCall {
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** Kept connections to one origin. */
export interface GuardedPool {
  /**
   * Redirects are answers like others: they are not followed.
   * @throws AppError `url.forbidden`; `url.unreachable`; `signal.reason`.
   */
  fetch(url: string, call: PooledCall): Promise<Response>;
  /** Calls under way are answered; then the connections end. */
  close(): Promise<void>;
}

/** Limits and effects. */
export interface GuardedPoolOptions {
  /** The only place that is called: "https://api.example.com". */
  readonly origin: string;
  /** CIDRs that may be called though they are not public, and by plain http: the operator's list. */
  readonly allowedAddresses: readonly string[];
  readonly connections: number;
  /** All addresses of a name; default: the system's resolver. */
  readonly lookup?: (hostname: string) => Promise<readonly string[]>;
}

const connectMs = 10_000;
/** So long an unused connection is kept: shorter than servers keep theirs, mostly. */
const keepMs = 4000;

/** @throws AppError `config.invalid` for an allow-list that can't be read. */
export function createGuardedPool(options: GuardedPoolOptions): GuardedPool {
  const { origin, connections } = options;
  const url = new URL(origin);
  const gate: Gate = {
    allowed: parseAllowedAddresses(options.allowedAddresses),
    lookup: options.lookup ?? lookupAll,
    maxBytes: Number.POSITIVE_INFINITY,
    extraCertificates: undefined,
  };
  let pool: Promise<Pool> | undefined;
  return {
    async fetch(address, { method, headers, body, signal }) {
      const { origin: asked, pathname, search } = new URL(address);
      if (asked !== url.origin) throw new AppError("url.forbidden", `${asked} is not ${url.origin}.`);
      // An address is not looked up, so it is checked here; a name is checked by each connection.
      if (isIP(url.hostname.replace(/^\[(.*)\]$/, "$1")) !== 0) await checkedAddresses(gate, url, signal);
      pool ??= open(gate, url, connections);
      const path = `${pathname}${search}`;
      const sent = { "user-agent": "gristmill", ...headers, "accept-encoding": "identity" };
      try {
        const answer = await (await pool).request({ path, method, headers: sent, body: body ?? null, signal });
        return toResponse(url, answer);
      } catch (cause) {
        if (cause instanceof AppError || signal.aborted) throw cause;
        throw unreachable(`${url.host} can't be reached.`, cause);
      }
    },
    async close() {
      await (await pool)?.close();
    },
  };
}

async function open(gate: Gate, url: URL, connections: number): Promise<Pool> {
  // Loaded by the first call: a server that calls nobody needs no client.
  const { Pool } = await import("undici");
  return new Pool(url.origin, {
    allowH2: false,
    connections,
    keepAliveTimeout: keepMs,
    // The caller knows how long it waits; a model may think for minutes.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: connectMs, lookup: checking(gate, url) },
  });
}

/** Asked by each connection for the name's addresses: it hears those that are allowed now, and goes to no others. */
function checking(gate: Gate, url: URL): LookupFunction {
  return (_hostname, options, callback) => {
    checkedAddresses(gate, url, AbortSignal.timeout(connectMs)).then(
      (addresses) => {
        const found = addresses.map((address) => ({ address, family: isIP(address) }));
        const [first] = found;
        if (options.all === true) callback(null, found);
        else if (first !== undefined) callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

function toResponse(url: URL, { statusCode: status, headers, body }: Dispatcher.ResponseData): Response {
  // Whoever leaves before the end hears it by their signal; an event without a listener would end the process.
  body.on("error", () => {});
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    body.destroy();
    throw unreachable(`${url.host} answers in ${String(encoding)}, which it was not asked for.`);
  }
  const pairs = Object.entries(headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name, value]),
  );
  const isEmpty = status === 204 || status === 205 || status === 304;
  if (isEmpty) body.destroy();
  return new Response(isEmpty ? null : streamOf(body), { status, headers: pairs });
}

/** Pulled piece by piece, so that a slow reader slows the sender; cancelling it ends the answer. */
function streamOf(body: Dispatcher.ResponseData["body"]): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => void body.destroy(),
  });
}

const lookupAll = async (hostname: string): Promise<readonly string[]> =>
  (await systemLookup(hostname, { all: true })).map(({ address }) => address);
