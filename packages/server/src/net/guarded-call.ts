/**
 * @file One request to one checked place. The name is resolved once, its addresses are checked, and the connection goes to
 * exactly these: a resolver that answers otherwise a moment later (DNS rebinding) changes nothing.
 */
import { isIP, type LookupFunction } from "node:net";
import { AppError } from "@gristmill/contract";
import type { Client, Dispatcher } from "undici";
import { type AllowedAddresses, isPublicAddress } from "./address-rules.ts";

/** What every call is checked and bounded by. */
export interface Gate {
  readonly allowed: AllowedAddresses;
  readonly lookup: (hostname: string) => Promise<readonly string[]>;
  readonly maxBytes: number;
  readonly extraCertificates: string | undefined;
}

/** One request on its way. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Buffer | null;
  /** Ends the request and its answer's body. */
  readonly signal: AbortSignal;
}

/** Statuses whose answer has no body, which `Response` insists on. */
const emptyStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

/** @throws AppError `url.forbidden`, `url.unreachable`; the signal's reason. */
export async function callOnce(gate: Gate, hop: Hop): Promise<Response> {
  const { url, signal, method, body } = hop;
  const addresses = await checkedAddresses(gate, url, signal);
  // Loaded by the first call: a server that calls nobody needs no client.
  const { Client } = await import("undici");
  // A client for each call, without keep-alive: no connection outlives the check that allowed it.
  const client = new Client(url.origin, {
    allowH2: false,
    pipelining: 0,
    connect: { lookup: pinned(addresses), ...(await trusting(gate.extraCertificates)) },
  });
  // A body that nobody reads ends with the deadline, and its connection too.
  signal.addEventListener("abort", () => void client.destroy(), { once: true });
  try {
    const headers = { "user-agent": "gristmill", ...Object.fromEntries(hop.headers), "accept-encoding": "identity" };
    const path = `${url.pathname}${url.search}`;
    const answer = await client.request({ path, method: method as Dispatcher.HttpMethod, headers, body, signal });
    return toResponse(gate, hop, answer, client);
  } catch (cause) {
    await client.destroy();
    throw failureOf(hop, cause);
  }
}

/** A caller's failure to get an answer. */
export const unreachable = (message: string, cause?: unknown): AppError =>
  new AppError("url.unreachable", message, { cause });

/**
 * The addresses that a connection may go to. One forbidden address among a name's forbids them all: a name that leads to
 * both is up to something.
 * @throws AppError `url.forbidden`, `url.unreachable`; the signal's reason.
 */
export async function checkedAddresses(gate: Gate, url: URL, signal: AbortSignal): Promise<readonly string[]> {
  const { allowed } = gate;
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = isIP(hostname) === 0 ? await resolve(gate, hostname, { url, signal }) : [hostname];
  if (addresses.length === 0) throw unreachable(`${url.host} has no address.`);
  for (const address of addresses) {
    if (allowed.has(address)) continue;
    if (!isPublicAddress(address))
      throw new AppError("url.forbidden", `${url.host} leads to an address that is not public.`);
    if (url.protocol !== "https:") throw new AppError("url.forbidden", `${url.host} may be called by https only.`);
  }
  return addresses;
}

async function resolve(
  { lookup }: Gate,
  hostname: string,
  hop: Pick<Hop, "url" | "signal">,
): Promise<readonly string[]> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const leave = () => reject(hop.signal.reason);
  hop.signal.addEventListener("abort", leave, { once: true });
  try {
    hop.signal.throwIfAborted();
    return await Promise.race([lookup(hostname), aborted]);
  } catch (cause) {
    throw failureOf(hop, cause);
  } finally {
    hop.signal.removeEventListener("abort", leave);
  }
}

/** Asked by the connection for the name's addresses; it hears those that were checked. */
function pinned(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    const [first] = found;
    if (options.all === true) callback(null, found);
    else if (first !== undefined) callback(null, first.address, first.family);
  };
}

async function trusting(extraCertificates: string | undefined): Promise<{ ca?: string[] }> {
  if (extraCertificates === undefined) return {};
  const { rootCertificates } = await import("node:tls");
  return { ca: [...rootCertificates, extraCertificates] };
}

function toResponse(gate: Gate, hop: Hop, answer: Dispatcher.ResponseData, client: Client): Response {
  const { statusCode: status, body } = answer;
  // Whoever is cut off before reading hears it from the stream; an event without a listener would end the process.
  body.on("error", () => {});
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headers))
    for (const value of [values ?? []].flat()) headers.append(name, value);
  // What nobody unpacks can't unpack into more memory than there is.
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") throw unreachable(`${hop.url.host} answers in ${encoding}, which it was not asked for.`);
  const isEmpty = emptyStatuses.has(status);
  if (isEmpty) void client.destroy();
  const bytes = isEmpty ? null : bounded(gate, hop, body, client);
  const response = new Response(bytes, { status, headers });
  Object.defineProperty(response, "url", { value: hop.url.href });
  return response;
}

/** No generator: one that was never started would not hear that nobody reads it any more. */
function bounded({ maxBytes }: Gate, hop: Hop, body: AsyncIterable<Uint8Array>, client: Client): ReadableStream {
  const chunks = body[Symbol.asyncIterator]();
  let size = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        size += value?.length ?? 0;
        if (size > maxBytes) throw unreachable(`${hop.url.host} answers with more than ${maxBytes} bytes.`);
        if (done !== true) return controller.enqueue(value);
        controller.close();
      } catch (cause) {
        controller.error(failureOf(hop, cause));
      }
      await client.destroy();
    },
    cancel: () => client.destroy(),
  });
}

/** What the caller aborted is its own; the rest is ours to tell. */
function failureOf({ url, signal }: Pick<Hop, "url" | "signal">, cause: unknown): unknown {
  if (cause instanceof AppError) return cause;
  if (!signal.aborted) return unreachable(`${url.host} can't be reached.`, cause);
  const isDeadline = signal.reason instanceof DOMException && signal.reason.name === "TimeoutError";
  return isDeadline ? unreachable(`${url.host} does not answer in time.`, cause) : signal.reason;
}
