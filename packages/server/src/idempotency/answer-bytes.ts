/** @file Pure: an answer as bytes to keep, and back. */
import type { Answer } from "../http/index.ts";

/** An answer whose body is whole. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Tells a replay from a first answer. */
export const replayedHeader = "idempotent-replayed";

/** What is sent for an answer that is no stream. */
export function wholeAnswer({ status = 200, headers = {}, body }: Answer): WholeAnswer {
  if (body === undefined) return { status, headers, body: new Uint8Array() };
  if (body instanceof Uint8Array) return { status, headers, body };
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
  const text = typeof body === "string" && hasType ? body : JSON.stringify(body);
  const typed = hasType ? headers : { ...headers, "content-type": "application/json; charset=utf-8" };
  return { status, headers: typed, body: Buffer.from(text) };
}

/** The length of the first part (4 bytes), status and headers as JSON, the body. */
export function toBytes({ status, headers, body }: WholeAnswer): Buffer {
  const head = Buffer.from(JSON.stringify({ status, headers }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, body]);
}

/** The answer again, marked as a replay. */
export function fromBytes(bytes: Buffer): Answer {
  const headEnd = 4 + bytes.readUInt32BE(0);
  const { status, headers } = JSON.parse(bytes.toString("utf8", 4, headEnd)) as Omit<WholeAnswer, "body">;
  const body = bytes.subarray(headEnd);
  return { status, headers: { ...headers, [replayedHeader]: "true" }, body: body.length === 0 ? undefined : body };
}
