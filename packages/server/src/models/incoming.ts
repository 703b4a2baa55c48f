/** @file A file on its way in, of which only the first bytes are known: they tell its format. */
import { Readable } from "node:stream";
import { AppError } from "@gristmill/contract";

/** A file whose first bytes have been looked at. */
export interface Incoming {
  readonly isGguf: boolean;
  /** All of it. Destroying it leaves the source as it is: to destroy a request is to destroy its answer too. */
  readonly content: Readable;
}

const ggufMagic = Buffer.from("GGUF");

/** Reads the first bytes. @throws `signal.reason`. */
export async function openIncoming(source: Readable, signal: AbortSignal): Promise<Incoming> {
  const stop = (): void => void source.destroy(signal.reason as Error);
  signal.addEventListener("abort", stop, { once: true });
  source.once("close", () => signal.removeEventListener("abort", stop));
  // A failure between two reads would otherwise be an uncaught event; the next read tells it.
  source.on("error", () => {});
  signal.throwIfAborted();
  const pieces = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head: Buffer = Buffer.alloc(0);
  while (head.length < ggufMagic.length) {
    const next = await pieces.next().catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
  }
  return {
    isGguf: head.subarray(0, ggufMagic.length).equals(ggufMagic),
    content: Readable.from(all(), { objectMode: false }),
  };
}

/**
 * All of a stream in memory. @param sizeBytes what the sender says of its length: too much is refused before it is read.
 * @throws AppError `request.too_large`.
 */
export async function collect(content: Readable, limitBytes: number, sizeBytes?: number): Promise<Uint8Array> {
  const tooLarge = (): AppError =>
    new AppError(
      "request.too_large",
      `An ONNX file has at most ${limitBytes} bytes here; this one, which is no GGUF either, has more.`,
      { details: { limit_bytes: limitBytes } },
    );
  if (sizeBytes !== undefined && sizeBytes > limitBytes) throw tooLarge();
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of content as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > limitBytes) throw tooLarge();
    pieces.push(piece);
  }
  return Buffer.concat(pieces, bytes);
}
