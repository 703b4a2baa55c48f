/** @file Every failure as one AppError, told in the words of the surface that was called. */
import { AppError, type ErrorBody, errorTable } from "@gristmill/contract";
import { type OpenAiErrorBody, renderOpenAiFailure } from "./openai-failures.ts";
import type { Surface } from "./route.ts";

/** Fastify's own refusals, in our codes. */
const fastifyCodes: Readonly<Record<string, ConstructorParameters<typeof AppError>[0]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "request.too_large",
  FST_REQ_FILE_TOO_LARGE: "request.too_large",
  FST_PARTS_LIMIT: "request.too_large",
  FST_FILES_LIMIT: "request.too_large",
  FST_FIELDS_LIMIT: "request.too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "request.unsupported_media_type",
};

/** What is told of a failure that has no code. */
const unknownMessage = "Something went wrong on our side.";

/** An AppError stays; what Fastify refuses gets our code; all else is `internal`, whose cause is logged and not told. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, statusCode, message } = fieldsOf(error);
  const known = code === undefined ? undefined : fastifyCodes[code];
  if (known !== undefined) return new AppError(known, `${message}.`, { cause: error });
  // What is left of Fastify's 4xx is about the form of the request: bad JSON, an empty JSON body, a bad URL.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new AppError("request.invalid", `${message}.`, { cause: error });
  return new AppError("internal", unknownMessage, { cause: error });
}

/** The body of a failure on one surface. */
export function renderFailure(
  error: AppError,
  surface: Surface,
  requestId: string,
): ErrorBody | OpenAiErrorBody | { error: string } {
  if (surface === "openai") return renderOpenAiFailure(error);
  // The Open Inference Protocol knows one text and no more.
  if (surface === "inference-protocol") return { error: `${error.message} [${error.code}, request ${requestId}]` };
  const { help, retryable } = errorTable[error.code];
  return {
    error: { code: error.code, message: error.message, help, retryable, request_id: requestId, details: error.details },
  };
}

/** The header `retry-after`: what the failure's details say in `retry_after_ms`, else a second. */
export function retryAfterSeconds({ details }: AppError): string {
  const milliseconds = details["retry_after_ms"];
  return String(typeof milliseconds === "number" ? Math.max(1, Math.ceil(milliseconds / 1000)) : 1);
}

/** By path, for failures before a route is found. */
export function surfaceOf(path: string): Surface {
  if (/^\/v1(\/|$|\?)/.test(path)) return "openai";
  return /^\/v2(\/|$|\?)/.test(path) ? "inference-protocol" : "api";
}

function fieldsOf(error: unknown): { code?: string; statusCode?: number; message: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const statusCode = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : undefined;
  return {
    message: error.message.replace(/\.$/, ""),
    ...(code === undefined ? {} : { code }),
    ...(statusCode === undefined ? {} : { statusCode }),
  };
}
