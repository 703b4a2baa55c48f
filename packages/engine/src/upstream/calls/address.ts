/** @file Where a call goes and with which headers. */
import { EngineRunError } from "../../errors.ts";
import type { Credentials, UpstreamSettings } from "../options.ts";

/** `base`: below the base URL; `server`: beside its "/v1", where servers keep what is not OpenAI's. */
export interface CallTarget {
  readonly from: "base" | "server";
  readonly path: string;
}

/** The address of a call, with the query of the options. */
export function addressOf({ baseUrl, query }: UpstreamSettings, { from, path }: CallTarget): string {
  const base = baseUrl.replace(/\/+$/, "");
  const url = new URL(`${from === "server" ? base.replace(/\/v1$/, "") : base}/${path}`);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  return url.href;
}

/** What a header may hold; the platform's own refusal would repeat the value. */
const headerText = /^[\x20-\x7e]*$/;
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Headers of a call, and those of their values that no message may show. @throws EngineRunError for what is no header; the credentials' own. */
export async function headersOf(
  { name, headers, credentials }: UpstreamSettings,
  signal: AbortSignal,
): Promise<{ readonly headers: Record<string, string>; readonly secrets: readonly string[] }> {
  const proof = typeof credentials === "function" ? await credentials({ signal }) : credentials;
  const own = { ...headers, ...(proof === undefined ? {} : headerOf(proof)) };
  for (const [header, value] of Object.entries(own))
    if (!headerName.test(header) || !headerText.test(value))
      throw new EngineRunError(
        `model "${name}": header ${JSON.stringify(header)}: expected printable ASCII without line ends, received something else`,
      );
  const values = [...Object.values(own), ...(proof?.type === "bearer" ? [proof.token] : [])];
  return {
    headers: { "content-type": "application/json", ...own },
    // Longest first: a token is part of its header. What is very short is no secret, and would tear words apart.
    secrets: values.filter(({ length }) => length >= 6).sort((a, b) => b.length - a.length),
  };
}

const headerOf = (proof: Credentials): Record<string, string> =>
  proof.type === "bearer" ? { authorization: `Bearer ${proof.token}` } : { [proof.name]: proof.value };
