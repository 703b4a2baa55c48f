/** @file The vocabulary of an ONNX file: the front of a GGUF file in its metadata, which llama.cpp reads as it reads any other. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { frontFromText, frontKey, GgufError } from "@gristmill/gguf";
import { EngineRunError } from "../errors.ts";
import { type CheckedFile, checkFile } from "../llama/check-file.ts";
import type { Llama, LlamaModel } from "../llama/open-llama.ts";

/** @throws EngineRunError for a file without a vocabulary, or with one that is no base64 or too long. */
export function vocabularyBytes(metadata: Readonly<Record<string, string>>): Uint8Array {
  const text = metadata[frontKey];
  if (text === undefined)
    throw new EngineRunError(`expected metadata ${frontKey} (the front of a GGUF file in base64), received none`);
  try {
    return frontFromText(text);
  } catch (cause) {
    throw cause instanceof GgufError ? new EngineRunError(`metadata ${cause.message}`, { cause }) : cause;
  }
}

/** A vocabulary that llama.cpp has loaded. */
export interface Vocabulary {
  readonly file: CheckedFile;
  readonly model: LlamaModel;
}

/** Through a file, as llama.cpp reads no bytes. @throws EngineRunError for a vocabulary on which it would end the process. */
export async function loadVocabulary(
  llama: Llama,
  bytes: Uint8Array,
  { scratchFolder, signal }: { readonly scratchFolder: string; readonly signal?: AbortSignal | undefined },
): Promise<Vocabulary> {
  const folder = await mkdtemp(join(scratchFolder, "gristmill-vocabulary-"));
  try {
    const modelPath = join(folder, "vocabulary.gguf");
    await writeFile(modelPath, bytes);
    const file = await checkFile(modelPath);
    const model = await llama.loadModel({
      modelPath,
      vocabOnly: true,
      useMmap: false,
      ...(signal && { loadSignal: signal }),
    });
    return { file, model };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
