/** @file Every way in which a call can fail, as one class. */

/** Failures that have no answer of the server behind them. */
export type ClientErrorCode = "client.unreachable" | "client.timeout" | "client.unexpected_answer" | "client.failed";

/** What an error of a call says of itself. */
export interface GristmillErrorFields {
  readonly status: number;
  readonly code: string;
  readonly help: string;
  readonly retryable: boolean;
  readonly requestId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterMs: number | null;
}

/**
 * A call that failed, with the server's own words: `code` is stable (docs/errors.md), `help` says how to mend it.
 * Codes that begin with `client.` are this package's: no answer came, or none that we can read. A call that its
 * caller aborted fails with the signal's reason instead: cancelled is not failed.
 */
export class GristmillError extends Error {
  override readonly name = "GristmillError";
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  readonly help: string;
  /** True when the same call may succeed later. */
  readonly retryable: boolean;
  /** Names the call in the server's log. */
  readonly requestId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | null;

  constructor(message: string, fields: Partial<GristmillErrorFields> & { code: string }, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.status = fields.status ?? 0;
    this.code = fields.code;
    this.help = fields.help ?? "";
    this.retryable = fields.retryable ?? false;
    this.requestId = fields.requestId ?? null;
    this.details = fields.details ?? {};
    this.retryAfterMs = fields.retryAfterMs ?? null;
  }
}

/** True for a refusal or failure with exactly that code. */
export const hasCode = (error: unknown, code: string): error is GristmillError =>
  error instanceof GristmillError && error.code === code;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOr = (value: unknown, fallback: string): string => (typeof value === "string" ? value : fallback);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page or nothing at all: the status alone has to say it.
    return undefined;
  }
}

/** Milliseconds of a `retry-after` header: seconds or a date. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null || header.trim() === "") return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/** What the server asks to wait: to the millisecond in a limit's details, in whole seconds by the header. */
function retryAfterOf(headers: Headers, details: Readonly<Record<string, unknown>>, nowMs: number): number | null {
  const exact = details["retry_after_ms"];
  return typeof exact === "number" && exact >= 0 ? exact : parseRetryAfter(headers.get("retry-after"), nowMs);
}

/** Statuses that say "later" when the body does not: a proxy in between, or the inference protocol's plain errors. */
const transientStatuses: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** The protocol knows one text and no more, so Gristmill puts code and request id at its end: "message [code, request id]". */
function plainError(text: string): { message: string; code?: string; requestId?: string } {
  const [, message, code, requestId] = /^(.*) \[([a-z_.]+), request (\w+)\]$/s.exec(text) ?? [];
  return message === undefined || code === undefined || requestId === undefined
    ? { message: text }
    : { message, code, requestId };
}

/**
 * Reads a refusal: `{ error: { code, message, help, ... } }` of `/api`, or `{ error: "message" }` of the Open Inference
 * Protocol, or anything else a proxy may answer.
 */
export function errorOf(response: Pick<Response, "status" | "headers">, text: string, nowMs: number): GristmillError {
  const { status, headers } = response;
  const body = parseJson(text);
  const error = isRecord(body) ? body["error"] : undefined;
  const fields = isRecord(error) ? error : {};
  const details = isRecord(fields["details"]) ? fields["details"] : {};
  const plain = typeof error === "string" ? plainError(error) : { message: `The server answered ${status}.` };
  return new GristmillError(textOr(fields["message"], plain.message), {
    status,
    code: textOr(fields["code"], plain.code ?? `http.${status}`),
    help: textOr(fields["help"], ""),
    retryable: typeof fields["retryable"] === "boolean" ? fields["retryable"] : transientStatuses.has(status),
    requestId: textOr(fields["request_id"], plain.requestId ?? "") || null,
    details,
    retryAfterMs: retryAfterOf(headers, details, nowMs),
  });
}
