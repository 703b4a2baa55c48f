/**
 * @file How an ONNX file becomes an engine of language models. ONNX Runtime computes the logits; vocabulary, chats, grammars
 * and the step loop are those of the room llama: one prompt has the same tokens whatever file the weights come from.
 */
import { tmpdir } from "node:os";
import { type Model as OnnxModel, readModelFile } from "@gristmill/onnx";
import { EngineRunError } from "../errors.ts";
import type { LanguageCard, LanguageEngineOptions, LoadLanguageEngine } from "../language/language-engine.ts";
import type { CheckedFile } from "../llama/check-file.ts";
import { createChat } from "../llama/llama-chat.ts";
import { LlamaEngine, type LlamaParts } from "../llama/llama-engine.ts";
import { defaultContextLength } from "../llama/load-llama-engine.ts";
import { openNative } from "../llama/native.ts";
import { type Llama, type LlamaModel, withLlama } from "../llama/open-llama.ts";
import { StepLoop } from "../llama/step-loop.ts";
import { TokenTexts } from "../llama/token-texts.ts";
import { Turns } from "../llama/turns.ts";
import { Vectors } from "../llama/vectors.ts";
import { type Decoder, openDecoder } from "./decoder.ts";
import { DecoderContext } from "./decoder-context.ts";
import { LogitSampler } from "./logit-sampler.ts";
import { loadVocabulary, vocabularyBytes } from "./vocabulary.ts";

/** Loads a decoder with a cache, and with its vocabulary in its metadata, as packages/nn's `toDecoderOnnx` writes it. */
export const loadOnnxLanguageEngine: LoadLanguageEngine = async (artifactPath, options) => {
  options.signal?.throwIfAborted();
  if ((options.adapters ?? []).length > 0)
    throw new EngineRunError("adapters: expected none for an ONNX file, whose weights can't be added to");
  const { parameters, vocabulary } = readFront(artifactPath);
  return withLlama({ ...options, gpu: false }, async (llama) => {
    const { file, model } = await loadVocabulary(llama, vocabulary, {
      scratchFolder: options.scratchFolder ?? tmpdir(),
      signal: options.signal,
    });
    const decoder = await openDecoder(artifactPath, options);
    try {
      options.signal?.throwIfAborted();
      const card = cardOf(file, parameters, options);
      expectFit(decoder, card, options.slots);
      return new LlamaEngine({ card, llama, model, ...partsOf(decoder, llama, model, file, card, options) });
    } catch (error) {
      await decoder.close();
      throw error;
    }
  });
};

/** What a file says beside its graph. */
function readFront(path: string): { readonly parameters: number; readonly vocabulary: Uint8Array } {
  const { metadata, graph } = read(path);
  const weights = [...graph.initializers.values()];
  return {
    parameters: weights.reduce((sum, { data }) => sum + data.length, 0),
    vocabulary: vocabularyBytes(metadata),
  };
}

function read(path: string): OnnxModel {
  try {
    return readModelFile(path);
  } catch (cause) {
    throw new EngineRunError(`model file: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function cardOf(file: CheckedFile, parameters: number, options: LanguageEngineOptions): LanguageCard {
  return {
    contextLength: options.contextLength ?? Math.min(file.trainedLength ?? defaultContextLength, defaultContextLength),
    vocabularySize: file.tokens.length,
    architecture: file.architecture,
    parameters,
    abilities: { complete: true, chat: file.chatTemplate !== undefined, embed: false, rerank: false, images: false },
    embeddingLength: 0,
  };
}

/** @throws EngineRunError when vocabulary and logits differ, or when the caches would not fit into memory. */
function expectFit(decoder: Decoder, { vocabularySize, contextLength }: LanguageCard, slots: number): void {
  if (decoder.vocabularySize !== undefined && decoder.vocabularySize !== vocabularySize)
    throw new EngineRunError(
      `expected logits for the ${vocabularySize} tokens of the vocabulary, received ${decoder.vocabularySize}`,
    );
  // A run makes the cache of one sequence anew beside the one that it reads.
  const needed = (slots + 1) * contextLength * decoder.bytesPerToken;
  const free = process.availableMemory();
  if (needed > free)
    throw new EngineRunError(
      `expected ${needed} bytes of free memory for the caches of ${slots} contexts of ${contextLength} tokens, received ${free}; ask for fewer slots or a shorter context`,
    );
}

function partsOf(
  decoder: Decoder,
  llama: Llama,
  model: LlamaModel,
  file: CheckedFile,
  card: LanguageCard,
  { slots, maxQueue, prefillChunk, threads }: LanguageEngineOptions,
): Omit<LlamaParts, "card" | "llama" | "model"> {
  const addon = openNative(llama, model);
  const { contextLength } = card;
  const turns = new Turns();
  return {
    native: { ...addon, createSampler: () => new LogitSampler(addon.grammar) },
    texts: new TokenTexts(addon.model, card.vocabularySize),
    context: { dispose: () => decoder.close() },
    loop: new StepLoop({
      context: new DecoderContext(decoder),
      slots,
      contextLength,
      maxQueue,
      prefillChunk,
      windowSize: undefined,
      canPad: false,
      turns,
    }),
    vectors: new Vectors({ model, contextLength, threads, maxQueue, turns }),
    chat: card.abilities.chat ? createChat(file, model, addon.model) : undefined,
  };
}
