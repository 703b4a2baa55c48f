/** @file Checks what a request brings against the route's schemas; all problems in one answer. */
import { Readable } from "node:stream";
import { AppError } from "@gristmill/contract";
import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { anyType } from "./bodies.ts";
import type { Route } from "./route.ts";

/** Where a value came from. */
type Part = "params" | "query" | "body";

/** One thing wrong with one field. */
export interface Problem {
  readonly in: Part;
  /** "fit.epochs"; empty: the whole part. */
  readonly field: string;
  readonly problem: string;
  /** What OpenAI calls it, where it has a name of its own: "unsupported_parameter". */
  readonly code?: string;
}

/** A request's values, checked and with defaults filled in. */
export interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** @throws AppError `request.invalid` with every problem in `details.problems`. */
export function parseInput(route: Route, request: FastifyRequest): Input {
  const problems: Problem[] = [];
  const check = (part: Part, schema: z.ZodType | undefined, value: unknown): unknown => {
    if (schema === undefined) return undefined;
    if (holdsNul(value)) {
      problems.push({ in: part, field: "", problem: "the character U+0000 can't be stored" });
      return undefined;
    }
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    problems.push(...result.error.issues.map((issue) => toProblem(part, issue)));
    return undefined;
  };
  const input = {
    params: check("params", route.params, request.params),
    query: check("query", route.query, request.query),
    body: isJson(route, request) ? check("body", route.body, request.body) : bytesOf(request.body),
  };
  if (problems.length === 0) return input;
  throw new AppError("request.invalid", problems.map(sentence).slice(0, 5).join(" "), { details: { problems } });
}

/** True when any text in a JSON value holds U+0000, which PostgreSQL has no place for. Without recursion: a body may nest deeply. */
export function holdsNul(value: unknown): boolean {
  const left = [value];
  for (let next = left.pop(); next !== undefined || left.length > 0; next = left.pop()) {
    if (typeof next === "string" && next.includes("\0")) return true;
    if (typeof next !== "object" || next === null) continue;
    for (const [key, inner] of Object.entries(next)) left.push(key, inner);
  }
  return false;
}

/** A body that nobody has read yet is the handler's alone. */
const bytesOf = (body: unknown): unknown => (body instanceof Readable ? undefined : body);

/** Bodies of the content types that a route consumes raw are the handler's to read. */
function isJson(route: Route, request: FastifyRequest): boolean {
  if (route.consumes?.includes(anyType)) return false;
  const type = contentType(request.headers["content-type"]);
  return type === undefined || !(route.consumes ?? []).includes(type);
}

/** "application/json" of "application/json; charset=utf-8". */
export const contentType = (header: string | undefined): string | undefined =>
  header?.split(";")[0]?.trim().toLowerCase();

function toProblem(part: Part, found: z.core.$ZodIssue): Problem {
  const issue = deepest(found);
  const field = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys")
    return {
      in: part,
      field,
      problem: `unknown ${issue.keys.length === 1 ? "field" : "fields"} ${issue.keys.join(", ")}`,
    };
  const code: unknown = issue.code === "custom" ? issue.params?.["code"] : undefined;
  return { in: part, field, problem: issue.message, ...(typeof code === "string" ? { code } : {}) };
}

/** Of a value that is none of several kinds: what is wrong inside of the kind that it resembles most, if it does any. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors
    .flatMap(([first]) => (first === undefined ? [] : [deepest(first)]))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  if (inner === undefined || inner.path.length === 0) return issue;
  return { ...inner, path: [...issue.path, ...inner.path] };
}

const sentence = ({ in: part, field, problem }: Problem): string =>
  `${field === "" ? part : `${part}.${field}`}: ${problem}.`;
