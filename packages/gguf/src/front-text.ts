/**
 * @file The front of a GGUF file as text: how files of other formats bring a language model's sizes, tokenizer and chat
 * template along, for readers that know them from GGUF.
 */
import { GgufError } from "./errors.ts";

/** Where ONNX files have their vocabulary, among their metadata: GGUF without tensors, in base64. */
export const frontKey = "gristmill.vocabulary";

/** The largest of today's vocabularies, of 260,000 tokens, take 15 MB. */
const mostCharacters = 2 ** 26;

/** The front's bytes as text. */
export const frontToText = (front: Uint8Array): string =>
  Buffer.from(front.buffer, front.byteOffset, front.byteLength).toString("base64");

/** @throws GgufError for what is too long or no base64; the front itself is read by `readGgufHeader`. */
export function frontFromText(text: string): Uint8Array {
  if (text.length > mostCharacters)
    throw new GgufError(
      "gguf.limit",
      frontKey,
      `expected at most ${mostCharacters} characters, received ${text.length}`,
    );
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new GgufError("gguf.malformed", frontKey, "expected base64, received other characters");
  return Buffer.from(text, "base64");
}
