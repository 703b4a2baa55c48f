/** @file Failures in the words of OpenAI's API: its clients choose their error class by status, and read `type` and `code`. */
import type { AppError, ErrorCode } from "@gristmill/contract";
import { z } from "zod";

/** The body of every failure under `/v1`. */
export const openAiErrorBody = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    /** The field that is wrong. */
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});
export type OpenAiErrorBody = z.infer<typeof openAiErrorBody>;

/** Codes that clients of OpenAI know; all others are told by ours. */
const knownCodes: Partial<Record<ErrorCode, string>> = {
  "auth.missing": "invalid_api_key",
  "auth.invalid": "invalid_api_key",
  "deployment.not_found": "model_not_found",
  "auth.model_forbidden": "model_not_found",
  "limit.exceeded": "rate_limit_exceeded",
  "budget.exceeded": "insufficient_quota",
  "engine.context_length_exceeded": "context_length_exceeded",
};

/** One failure as OpenAI would tell it. */
export function renderOpenAiFailure(error: AppError): OpenAiErrorBody {
  const code = firstProblem(error)?.code ?? knownCodes[error.code] ?? error.code;
  return { error: { message: error.message, type: typeOf(error), param: paramOf(error), code } };
}

function typeOf({ code, status, details }: AppError): string {
  if (code === "budget.exceeded") return "insufficient_quota";
  if (code === "limit.exceeded") return details["metric"] === "tokens_per_minute" ? "tokens" : "requests";
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** The first field of what `parseInput` found, or the one that a feature names. */
function paramOf(error: AppError): string | null {
  const { param } = error.details;
  if (typeof param === "string") return param;
  const field = firstProblem(error)?.field;
  return field === undefined || field === "" ? null : field;
}

/** The first of what `parseInput` found. */
function firstProblem({ details }: AppError): { readonly field?: string; readonly code?: string } | undefined {
  const { problems } = details;
  const first: unknown = Array.isArray(problems) ? problems[0] : undefined;
  if (typeof first !== "object" || first === null) return undefined;
  const text = (name: string): string | undefined => {
    const value: unknown = name in first ? (first as Record<string, unknown>)[name] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const [field, code] = [text("field"), text("code")];
  return { ...(field === undefined ? {} : { field }), ...(code === undefined ? {} : { code }) };
}
