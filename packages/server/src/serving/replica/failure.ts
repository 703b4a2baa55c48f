/** @file What went wrong, as main can tell it to a caller. */
import type { ErrorCode } from "@gristmill/contract";
import { ContextLengthError, EngineInputError, EngineRequestError, QueueFullError } from "@gristmill/engine";
import type { ReplicaFailure } from "./protocol.ts";

/** An image that can't be used. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: Extract<ErrorCode, `image.${string}`>;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ImageError["code"], message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** One place where errors of libraries become codes. */
export function toFailure(error: unknown): ReplicaFailure {
  if (error instanceof ImageError) return { code: error.code, message: error.message, details: error.details };
  if (error instanceof EngineInputError) {
    const { tensor, expected, received } = error;
    return { code: "engine.input_invalid", message: error.message, details: { tensor, expected, received } };
  }
  if (error instanceof ContextLengthError) {
    const { field, promptTokens, maxTokens, contextLength } = error;
    return {
      code: "engine.context_length_exceeded",
      message: error.message,
      details: {
        param: field,
        prompt_tokens: promptTokens,
        max_tokens: maxTokens ?? null,
        context_length: contextLength,
      },
    };
  }
  if (error instanceof EngineRequestError)
    return { code: "engine.request_invalid", message: error.message, details: { param: error.field } };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof QueueFullError) return { code: "engine.queue_full", message, details: {} };
  return { code: "engine.failed", message, details: {} };
}
