/** @file Pure: what makes two requests the same. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { AppError, canonicalJson } from "@gristmill/contract";
import type { KeyedRequest } from "../http/index.ts";

/** Headers beside the content type that change what a body means. */
const meaningHeaders = ["content-encoding", "inference-header-content-length"] as const;

/**
 * sha256 over who calls, method, path with query, content type and body. JSON counts by its value, so that spaces and the
 * order of fields don't matter; bytes count as they are. An upload (a multipart one, or a stream) is not read before its handler
 * does: it counts by its length alone, and a boundary, which clients draw anew each time, does not count.
 * @throws AppError `request.invalid` for JSON that nests too deeply.
 */
export function fingerprintOf({ caller, request }: Pick<KeyedRequest, "caller" | "request">): Buffer {
  const { headers, method, url, body } = request;
  const type = headers["content-type"] ?? "";
  const isMultipart = /^\s*multipart\//i.test(type);
  const hash = createHash("sha256");
  const part = (name: string, value: string | Uint8Array): void => {
    // With its length, so that no two lists of parts give the same text.
    hash
      .update(`${name} ${Buffer.byteLength(value)}\n`)
      .update(value)
      .update("\n");
  };
  part("caller", `${caller.kind} ${caller.keyId ?? caller.userId ?? ""}`);
  part("method", method);
  part("url", url);
  part("type", type.split(";")[0]?.trim().toLowerCase() ?? "");
  for (const name of meaningHeaders) part(name, String(headers[name] ?? ""));
  if (isMultipart || body instanceof Readable) part("length", String(headers["content-length"] ?? "unknown"));
  else if (body instanceof Uint8Array) part("bytes", body);
  else part("json", jsonOf(body));
  return hash.digest();
}

function jsonOf(body: unknown): string {
  if (body === undefined) return "";
  try {
    return canonicalJson(body);
  } catch (cause) {
    if (cause instanceof RangeError) throw new AppError("request.invalid", "The JSON nests too deeply.", { cause });
    throw cause;
  }
}
