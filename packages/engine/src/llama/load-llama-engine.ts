/** @file How a model's file becomes an engine: looked at, weighed, then loaded. */
import type { Llama, LlamaModel } from "node-llama-cpp";
import type { LanguageCard, LanguageEngineOptions, LoadLanguageEngine } from "../language/language-engine.ts";
import { type CheckedFile, checkFile } from "./check-file.ts";
import { createChat } from "./llama-chat.ts";
import { LlamaEngine } from "./llama-engine.ts";
import { expectMemory } from "./memory.ts";
import { openNative } from "./native.ts";
import { withLlama } from "./open-llama.ts";
import { StepLoop } from "./step-loop.ts";
import { TokenTexts } from "./token-texts.ts";
import { Turns } from "./turns.ts";
import { Vectors } from "./vectors.ts";

/** Contexts of today's models are longer than a machine has memory for, several times over. */
export const defaultContextLength = 4096;

/** Loads a GGUF file into llama.cpp. */
export const loadLlamaEngine: LoadLanguageEngine = async (artifactPath, options) => {
  options.signal?.throwIfAborted();
  const file = await checkFile(artifactPath);
  return withLlama(options, (llama) => load(llama, artifactPath, file, options));
};

async function load(
  llama: Llama,
  modelPath: string,
  file: CheckedFile,
  options: LanguageEngineOptions,
): Promise<LlamaEngine> {
  const { slots, threads, prefillChunk, maxQueue, signal, adapters = [] } = options;
  const contextLength =
    options.contextLength ?? Math.min(file.trainedLength ?? defaultContextLength, defaultContextLength);
  // In one step all slots may write while a chunk of prompts is read.
  const batchSize = prefillChunk + slots;
  if (llama.gpu === false) await expectMemory(llama, { path: modelPath, contextLength, slots, batchSize });
  const model = await llama.loadModel({ modelPath, ...(signal && { loadSignal: signal }) });
  const native = openNative(llama, model);
  const card = cardOf(model, file, contextLength);
  const turns = new Turns();
  const context = card.abilities.complete
    ? await model.createContext({
        sequences: slots,
        contextSize: contextLength,
        batchSize,
        threads,
        // Fewer tokens than were asked for would be found out by a request.
        failedCreationRemedy: false,
        ignoreMemorySafetyChecks: true,
        ...(adapters.length > 0 && {
          lora: { adapters: adapters.map(({ path, scale }) => ({ filePath: path, scale })) },
        }),
        ...(signal && { createSignal: signal }),
      })
    : undefined;
  const { isRecurrent, isHybrid, swaSize } = model.fileInsights;
  return new LlamaEngine({
    card,
    llama,
    model,
    native,
    texts: new TokenTexts(native.model, card.vocabularySize),
    context,
    loop:
      context &&
      new StepLoop({
        context: native.contextOf(context),
        slots,
        contextLength,
        maxQueue,
        prefillChunk,
        windowSize: swaSize,
        canPad: !isRecurrent && !isHybrid && swaSize === undefined,
        turns,
      }),
    vectors: new Vectors({ model, contextLength, threads, maxQueue, turns }),
    chat: card.abilities.chat ? createChat(file, model, native.model) : undefined,
  });
}

function cardOf(model: LlamaModel, file: CheckedFile, contextLength: number): LanguageCard {
  const { hasEncoder, hasDecoder, supportsRanking, totalParameters } = model.fileInsights;
  // Of models with both halves (T5) llama.cpp's addon runs neither alone.
  const complete = hasDecoder && !hasEncoder && !file.isEncoder && !supportsRanking;
  return {
    contextLength,
    vocabularySize: file.tokens.length,
    architecture: file.architecture,
    parameters: totalParameters,
    abilities: {
      complete,
      chat: complete && file.chatTemplate !== undefined,
      embed: !(hasEncoder && hasDecoder) && !supportsRanking,
      rerank: supportsRanking,
      images: false,
    },
    embeddingLength: model.embeddingVectorSize,
  };
}
