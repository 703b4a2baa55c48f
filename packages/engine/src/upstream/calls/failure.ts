/** @file What goes wrong between an upstream and us, and what each answer's status means, as one table. */
import { ContextLengthError, EngineRequestError, EngineRunError, QueueFullError } from "../../errors.ts";
import { asObject, asText, firstCount, type JsonObject, parseJson } from "../json.ts";
import { requestField } from "../request-fields.ts";
import type { CallOutcome } from "./circuit-breaker.ts";

/** A failure, and what may be done about it. */
export class UpstreamFailure extends Error {
  override readonly name = "UpstreamFailure";
  /** What the caller gets when nothing is done about it. */
  readonly error: Error;
  /** The same call may go well a moment later. */
  readonly isRetryable: boolean;
  /** What it tells of the upstream. */
  readonly outcome: CallOutcome;
  /** The upstream asked for this much time. */
  readonly retryAfterMs: number | undefined;

  constructor(error: Error, means: Omit<Meaning, "kind">, retryAfterMs?: number) {
    super(error.message, { cause: error });
    this.error = error;
    this.isRetryable = means.isRetryable;
    this.outcome = means.outcome;
    this.retryAfterMs = retryAfterMs;
  }
}

interface Meaning {
  readonly kind: "request" | "refused" | "busy" | "broken";
  readonly isRetryable: boolean;
  readonly outcome: CallOutcome;
}

/** The caller's fault. */
const request: Meaning = { kind: "request", isRetryable: false, outcome: "answered" };
/** The operator's fault: the key, the address, the account. Every call ends so until it is mended. */
const refused: Meaning = { kind: "refused", isRetryable: false, outcome: "failed" };
const busy: Meaning = { kind: "busy", isRetryable: true, outcome: "unknown" };
/** A server that is broken now. */
export const broken: Meaning = { kind: "broken", isRetryable: true, outcome: "failed" };
/** What it says can't be understood, and would not be the next time. */
export const unreadable: Meaning = { kind: "broken", isRetryable: false, outcome: "failed" };

const byStatus: Readonly<Record<number, Meaning>> = {
  400: request,
  401: refused,
  402: refused,
  403: refused,
  404: refused,
  408: broken,
  409: busy,
  413: request,
  422: request,
  425: busy,
  429: busy,
};

/** Where it happened, and what no message may hold. */
export interface FailureContext {
  /** What errors call the model. */
  readonly name: string;
  /** Texts that are cut out of what the upstream says. */
  readonly secrets: readonly string[];
  /** Of the request, where there is one. */
  readonly maxTokens?: number | undefined;
}

const saidLength = 500;

/** What an answer that is no success means. */
export function failureOfStatus(
  status: number,
  body: string,
  context: FailureContext,
  retryAfterMs?: number,
): UpstreamFailure {
  const told = errorObject(parseJson(body));
  const meaning = meaningOf(status, told);
  return new UpstreamFailure(errorOf(meaning, status, told, context), meaning, retryAfterMs);
}

/** What an error inside an answer that began as a success means: `{error: …}` or the error itself. */
export function failureOfEvent(data: unknown, context: FailureContext): UpstreamFailure {
  const told = errorObject(data);
  const status = firstCount(told, "code", "status", "status_code") ?? 500;
  return failureOfStatus(status >= 400 && status < 600 ? status : 500, JSON.stringify(data), context);
}

/** What broke on the way: no answer, or one that ended too early. */
export const failureOfConnection = (what: string, { name }: FailureContext, cause?: unknown): UpstreamFailure =>
  new UpstreamFailure(new EngineRunError(`model "${name}": ${what}`, { cause }), broken);

/** What is no answer of this API. */
export const failureOfAnswer = (what: string, { name }: FailureContext): UpstreamFailure =>
  new UpstreamFailure(new EngineRunError(`model "${name}": expected ${what}`), unreadable);

function meaningOf(status: number, told: JsonObject | undefined): Meaning {
  // An account without credit is answered like too many requests, and no waiting helps.
  if (told?.["code"] === "insufficient_quota" || told?.["type"] === "insufficient_quota") return refused;
  if (status >= 300 && status < 400) return refused;
  return byStatus[status] ?? (status >= 500 ? broken : request);
}

function errorOf(meaning: Meaning, status: number, told: JsonObject | undefined, context: FailureContext): Error {
  const { name } = context;
  switch (meaning.kind) {
    case "request":
      return contextLengthError(told, context) ?? requestError(status, told, context);
    case "refused": {
      // Its words may repeat the key, so only the status is told.
      const mend =
        status === 404
          ? "check its address and the model's name there"
          : status < 400
            ? "it sends callers elsewhere; give the address where it is now"
            : "check its credentials, their rights and the account";
      return new EngineRunError(`model "${name}": its server refuses every call with status ${status}; ${mend}`);
    }
    case "busy": {
      const error = new QueueFullError(0);
      error.message = `model "${name}": its server takes no more requests now (status ${status})`;
      return error;
    }
    case "broken":
      return new EngineRunError(`model "${name}": its server failed with status ${status}${said(told, context)}`);
  }
}

function requestError(status: number, told: JsonObject | undefined, context: FailureContext): EngineRequestError {
  const field = requestField(asText(told?.["param"]));
  return new EngineRequestError(field, `its server refuses it with status ${status}${said(told, context)}`);
}

const lengthCodes: ReadonlySet<unknown> = new Set(["context_length_exceeded", "exceed_context_size_error"]);
const lengthWords = /maximum context length|context length|context size|context window/i;

/** Servers write the counts into their sentence, each in another order, so they are told apart by the words next to them. */
function contextLengthError(told: JsonObject | undefined, context: FailureContext): ContextLengthError | undefined {
  const message = asText(told?.["message"]) ?? "";
  const isTold = lengthCodes.has(told?.["code"]) || lengthCodes.has(told?.["type"]);
  if (!isTold && !(lengthWords.test(message) && /\d/.test(message))) return undefined;
  const limit =
    firstCount(told, "n_ctx") ??
    numberIn(message, /context (?:length|size|window)(?: is| of)?(?: only)? \(?(\d+)|limit of (\d+)/i);
  const prompt =
    firstCount(told, "n_prompt_tokens") ??
    numberIn(
      message,
      /\(?(\d+)(?: tokens)? (?:in|of) the (?:messages|prompt|input)|(?:resulted in|has|input \() ?(\d+)|request \((\d+) tokens/i,
    ) ??
    numberIn(message, /requested (?:about )?(\d+)/i);
  const error = new ContextLengthError(prompt ?? 0, context.maxTokens, limit ?? 0);
  if (prompt === undefined || limit === undefined)
    error.message = `prompt: it does not fit into the model's context${said(told, context)}`;
  return error;
}

function numberIn(message: string, pattern: RegExp): number | undefined {
  const digits = pattern
    .exec(message)
    ?.slice(1)
    .find((group) => group !== undefined);
  return digits === undefined ? undefined : Number(digits);
}

/** `{error: {message}}`, `{error: "text"}`, `{object: "error", message}`, `{detail}` of FastAPI, and a list around any of them. */
function errorObject(data: unknown): JsonObject | undefined {
  const outer = asObject(Array.isArray(data) ? data[0] : data);
  const inner = outer?.["error"];
  if (typeof inner === "string") return { ...outer, message: inner };
  const detail = outer?.["detail"];
  if (inner === undefined && detail !== undefined)
    return { message: typeof detail === "string" ? detail : JSON.stringify(detail) };
  return asObject(inner) ?? outer;
}

/** The upstream's own words, short, without secrets. */
function said(told: JsonObject | undefined, { secrets }: FailureContext): string {
  let message = asText(told?.["message"]);
  if (message === undefined) return "";
  for (const secret of secrets) if (secret !== "") message = message.replaceAll(secret, "[secret]");
  return `: ${message.length > saidLength ? `${message.slice(0, saidLength)} …` : message}`;
}
