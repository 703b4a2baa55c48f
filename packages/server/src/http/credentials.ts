/** @file What a request presents, read from its headers. */
import type { FastifyRequest } from "fastify";
import type { Credentials } from "./authenticator.ts";

/** OpenAI's clients name organization and project by headers of their own; ours win. */
export function credentialsOf({ headers, method }: FastifyRequest): Credentials {
  const header = (name: string): string | undefined => singleHeader(headers[name]);
  return {
    key: /^Bearer +(\S+) *$/i.exec(header("authorization") ?? "")?.[1],
    cookie: header("cookie"),
    csrfToken: header("x-csrf-token"),
    origin: header("origin"),
    host: header("host"),
    method,
    project: header("gristmill-project") ?? header("openai-project"),
    organization: header("gristmill-organization") ?? header("openai-organization"),
  };
}

/** The first value of a header. */
export const singleHeader = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0];
