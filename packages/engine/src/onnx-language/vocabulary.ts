/** @file The vocabulary of an ONNX file: the front of a GGUF file in its metadata, which llama.cpp reads as it reads any other. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineRunError } from "../errors.ts";
import { type CheckedFile, checkFile } from "../llama/check-file.ts";
import type { Llama, LlamaModel } from "../llama/open-llama.ts";

/** Where ONNX files have their vocabulary: GGUF without tensors, in base64. */
export const vocabularyKey = "gristmill.vocabulary";
/** The largest of today's vocabularies, of 260,000 tokens, take 15 MB. */
const mostCharacters = 2 ** 26;

/** @throws EngineRunError for a file without a vocabulary, or with one that is no base64 or too long. */
export function vocabularyBytes(metadata: Readonly<Record<string, string>>): Uint8Array {
  const text = metadata[vocabularyKey];
  if (text === undefined)
    throw new EngineRunError(`expected metadata ${vocabularyKey} (the front of a GGUF file in base64), received none`);
  if (text.length > mostCharacters)
    throw new EngineRunError(
      `metadata ${vocabularyKey}: expected at most ${mostCharacters} characters, received ${text.length}`,
    );
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new EngineRunError(`metadata ${vocabularyKey}: expected base64, received other characters`);
  return Buffer.from(text, "base64");
}

/** A vocabulary that llama.cpp has loaded. */
export interface Vocabulary {
  readonly file: CheckedFile;
  readonly model: LlamaModel;
}

/** @throws EngineRunError for a vocabulary on which llama.cpp would end the process. */
export async function loadVocabulary(llama: Llama, bytes: Uint8Array, signal?: AbortSignal): Promise<Vocabulary> {
  const folder = await mkdtemp(join(tmpdir(), "gristmill-vocabulary-"));
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
