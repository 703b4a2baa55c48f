/** @file A model's file is looked at before llama.cpp sees it, which ends the process on some that it could refuse. */
import { type GgufHeader, openGgufHeader, vocabularyProblems } from "@gristmill/gguf";
import { EngineRunError } from "../errors.ts";

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
    return checked(await openGgufHeader(path));
  } catch (cause) {
    throw new EngineRunError(`model file: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function checked({ metadata }: GgufHeader): CheckedFile {
  const problems = vocabularyProblems(metadata);
  if (problems.length > 0) throw new Error(problems.map(({ where, message }) => `${where}: ${message}`).join("; "));
  const architecture = metadata.get("general.architecture")?.value;
  if (typeof architecture !== "string") throw new Error("general.architecture: expected a text, received nothing");
  const list = metadata.get("tokenizer.ggml.tokens");
  const chatTemplate = metadata.get("tokenizer.chat_template")?.value;
  const trained = metadata.get(`${architecture}.context_length`)?.value;
  return {
    architecture,
    tokens: list?.type === "array" && list.value.of === "string" ? list.value.values : [],
    trainedLength: typeof trained === "number" ? trained : undefined,
    // Files of some encoders leave the key out, and llama.cpp knows by the name.
    isEncoder: metadata.get(`${architecture}.attention.causal`)?.value === false || /bert|t5encoder/.test(architecture),
    chatTemplate: typeof chatTemplate === "string" ? chatTemplate : undefined,
  };
}
