/** @file A llama-style decoder with its tokenizer as a GGUF file that llama.cpp serves. */
import { type GgufValue, vocabularyProblems } from "@gristmill/gguf";
import { SpecError } from "../../../errors.ts";
import type { ByteSink } from "../../byte-sink.ts";
import type { GgufWritableType } from "../codec.ts";
import { writeGguf } from "../write.ts";
import { descriptionMetadata, type FullDescription, fullDescription, type LlamaDescription } from "./description.ts";
import { type LlamaTokenizer, tokenizerMetadata } from "./tokenizer.ts";
import { type LlamaWeights, llamaTensors } from "./weights.ts";

/** How to write a decoder. */
export interface WriteLlamaOptions {
  /** Type of the matrices; "F16" when not said. "Q4_0" keeps embedding and output as "Q8_0", on which quality depends most. */
  readonly type?: GgufWritableType;
  /** Further metadata (`general.license`, `general.author` ...). */
  readonly metadata?: readonly (readonly [string, GgufValue])[];
}

/** What to write. */
export interface LlamaModel {
  readonly description: LlamaDescription;
  readonly weights: LlamaWeights;
  readonly tokenizer: LlamaTokenizer;
}

/**
 * Writes a decoder; one tensor is in memory at a time when the weights are functions.
 * @throws SpecError that lists sizes that don't fit, and a vocabulary on which llama.cpp would end its process.
 * @throws FileFormatError when weights don't fit their shape or type.
 */
export async function writeLlamaGguf(
  sink: ByteSink,
  model: LlamaModel,
  options: WriteLlamaOptions = {},
): Promise<void> {
  const type = options.type ?? "F16";
  const { description, metadata } = llamaFront(model, type);
  await writeGguf(sink, {
    metadata: [...metadata, ...(options.metadata ?? [])],
    tensors: llamaTensors(description, model.weights, { matrices: type, vocabulary: type === "Q4_0" ? "Q8_0" : type }),
  });
}

/**
 * What the front of a decoder's file says, after everything was looked at.
 * @throws SpecError that lists sizes that don't fit, and a vocabulary on which llama.cpp would end its process.
 */
export function llamaFront(
  model: LlamaModel,
  type: GgufWritableType,
): { readonly description: FullDescription; readonly metadata: readonly (readonly [string, GgufValue])[] } {
  const description = fullDescription(model.description);
  const { weights, tokenizer } = model;
  const vocabulary = tokenizerMetadata(tokenizer);
  const problems = [...vocabularyProblems(new Map(vocabulary))];
  const expect = (where: string, what: string, expected: number, received: number): void => {
    if (expected !== received) problems.push({ where, message: `expected ${expected} ${what}, received ${received}` });
  };
  expect(
    "tokenizer.tokens",
    "tokens, the description's vocabularySize",
    description.vocabularySize,
    tokenizer.tokens.length,
  );
  expect("weights.blocks", "blocks, as the description says", description.blocks, weights.blocks.length);
  if (problems.length > 0) throw new SpecError(problems);
  return { description, metadata: [...descriptionMetadata(description, type), ...vocabulary] };
}
