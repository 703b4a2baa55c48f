/** @file The bytes of an answer, bounded. */
import { asObject, type JsonObject, parseJson } from "../json.ts";
import type { Exchange } from "./exchange.ts";
import { failureOfAnswer } from "./failure.ts";

/** The answer's bytes as they come. @throws UpstreamFailure when the connection breaks or there are more than `maxBytes`. */
export async function* readBody(response: Response, exchange: Exchange, maxBytes: number): AsyncGenerator<Uint8Array> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return;
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await exchange.until(reader.read(), "the connection to its server broke");
      if (done) return;
      size += value.length;
      if (size > maxBytes)
        throw exchange.fail((context) =>
          failureOfAnswer(`an answer of at most ${maxBytes} bytes, received more`, context),
        );
      yield value;
    }
  } finally {
    // Nobody waits for a server to hear that nobody listens.
    reader.cancel().catch(() => undefined);
  }
}

/** The answer as text. @throws as `readBody`. */
export async function readText(response: Response, exchange: Exchange, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of readBody(response, exchange, maxBytes)) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

/** The answer, an object of JSON. @throws as `readBody`; UpstreamFailure when it is something else, such as a page. */
export async function readJson(response: Response, exchange: Exchange, maxBytes: number): Promise<JsonObject> {
  const found = asObject(parseJson(await readText(response, exchange, maxBytes)));
  if (found !== undefined) return found;
  const kind = response.headers.get("content-type") ?? "no type";
  throw exchange.fail((context) => failureOfAnswer(`an object of JSON, received something else (${kind})`, context));
}
