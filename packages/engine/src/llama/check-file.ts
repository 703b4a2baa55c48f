/** @file A model's file is looked at before llama.cpp sees it, which ends the process on some that it could refuse. */
import { open } from "node:fs/promises";
import { EngineRunError } from "../errors.ts";
import { FrontCutOffError, GgufError, type GgufFront, readFront } from "./gguf-reader.ts";

/** Elements and bytes of a block, by ggml's number of the type (ggml.h, ggml-common.h); of others the size isn't looked at. */
const blocks: Readonly<Record<number, readonly [elements: number, bytes: number]>> = {
  0: [1, 4],
  1: [1, 2],
  2: [32, 18],
  3: [32, 20],
  6: [32, 22],
  7: [32, 24],
  8: [32, 34],
  10: [256, 84],
  11: [256, 110],
  12: [256, 144],
  13: [256, 176],
  14: [256, 210],
  20: [32, 18],
  23: [256, 136],
  30: [1, 2],
  39: [32, 17],
};
const firstRead = 2 ** 22;
/** The largest vocabularies need 20 MB. */
const longestFront = 2 ** 28;
const idKeys = ["bos", "eos", "unknown", "padding", "seperator", "mask", "eot"].map(
  (name) => `tokenizer.ggml.${name}_token_id`,
);

/** What the rest of the loading needs of a file. */
export interface CheckedFile {
  readonly architecture: string;
  readonly chatTemplate: string | undefined;
  readonly tokens: readonly string[];
  /** Tokens that the model was trained to look back; undefined where the file doesn't say. */
  readonly trainedLength: number | undefined;
  /** Its tokens see those behind them: it reads, and writes nothing. */
  readonly isEncoder: boolean;
}

/** @throws EngineRunError for a file that is no model, cut off, or that would make llama.cpp end the process. */
export async function checkFile(path: string): Promise<CheckedFile> {
  try {
    const { front, size } = await readFrontOf(path);
    checkTensors(front, size);
    return checkMetadata(front);
  } catch (cause) {
    throw new EngineRunError(`model file: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

async function readFrontOf(path: string): Promise<{ front: GgufFront; size: number }> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    for (let length = firstRead; ; length *= 4) {
      const wanted = Math.min(length, size, longestFront);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, 0);
      try {
        return { front: readFront(buffer.subarray(0, bytesRead), size), size };
      } catch (error) {
        if (!(error instanceof FrontCutOffError)) throw error;
        if (wanted === longestFront)
          throw new GgufError(`expected metadata and tensors' names within ${longestFront} bytes`);
      }
    }
  } finally {
    await file.close();
  }
}

function checkTensors({ tensors, dataStart }: GgufFront, fileSize: number): void {
  const names = new Set<string>();
  for (const { name, elements, type, offset } of tensors) {
    if (names.has(name)) throw new GgufError(`tensor "${name}" is there twice`);
    names.add(name);
    const [blockElements, blockBytes] = blocks[type] ?? [1, 0];
    const end = dataStart + offset + Math.ceil(elements / blockElements) * blockBytes;
    if (end > fileSize)
      throw new GgufError(
        `the file is cut off: tensor "${name}" would end at byte ${end}, the file has ${fileSize} bytes`,
      );
  }
}

function checkMetadata({ metadata }: GgufFront): CheckedFile {
  const architecture = metadata.get("general.architecture");
  if (typeof architecture !== "string")
    throw new GgufError('metadata "general.architecture": expected a text, received nothing');
  const tokens = textsOf(metadata.get("tokenizer.ggml.tokens"));
  const first = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    const before = first.get(token);
    if (before !== undefined)
      throw new GgufError(
        `token ${id}: expected each token of the vocabulary once, received ${JSON.stringify(token)}, which is token ${before} too`,
      );
    first.set(token, id);
  }
  for (const name of ["scores", "token_type"]) {
    const list = metadata.get(`tokenizer.ggml.${name}`);
    const length = typeof list === "object" ? list.length : undefined;
    if (length !== undefined && length !== tokens.length)
      throw new GgufError(
        `tokenizer.ggml.${name}: expected ${tokens.length} values, one per token, received ${length}`,
      );
  }
  for (const key of idKeys) {
    const id = metadata.get(key);
    if (id !== undefined && !(typeof id === "number" && id >= 0 && id < tokens.length))
      throw new GgufError(`${key}: expected a token, 0 to ${tokens.length - 1}, received ${String(id)}`);
  }
  if (metadata.get("tokenizer.ggml.model") === "llama") checkByteTokens(first);
  const chatTemplate = metadata.get("tokenizer.chat_template");
  const trained = metadata.get(`${architecture}.context_length`);
  const trainedLength = typeof trained === "number" ? trained : undefined;
  return {
    architecture,
    tokens,
    trainedLength,
    // Files of some encoders leave the key out, and llama.cpp knows by the name.
    isEncoder: metadata.get(`${architecture}.attention.causal`) === false || /bert|t5encoder/.test(architecture),
    chatTemplate: typeof chatTemplate === "string" ? chatTemplate : undefined,
  };
}

/** What no token covers is spelled in bytes; without byte tokens llama.cpp throws where nothing catches. */
function checkByteTokens(tokens: ReadonlyMap<string, number>): void {
  for (let byte = 0; byte < 256; byte++) {
    const name = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
    if (!tokens.has(name)) throw new GgufError(`expected all 256 byte tokens in the vocabulary, ${name} is missing`);
  }
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value : [];
}
