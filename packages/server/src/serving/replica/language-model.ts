/** @file A language model in a replica: text in, events or vectors out. The engine has its own queue. */
import { EngineInputError, type LoadLanguageEngine, loadLlamaEngine, loadOnnxLanguageEngine } from "@gristmill/engine";
import type { ReplicaSettings, ReplicaStart } from "./protocol.ts";
import type { ServedModel } from "./served-model.ts";

type LanguageSettings = Extract<ReplicaSettings, { engine: "llama" | "onnx-language" }>;

const loaders: Readonly<Record<LanguageSettings["engine"], LoadLanguageEngine>> = {
  llama: loadLlamaEngine,
  "onnx-language": loadOnnxLanguageEngine,
};

/** Loads a language model. @throws EngineRunError when the engine refuses it. */
export async function loadLanguageModel(
  { model, threads, artifactPath, scratchFolder }: ReplicaStart,
  { engine: kind, generation }: LanguageSettings,
): Promise<ServedModel> {
  const scratch = scratchFolder === undefined ? {} : { scratchFolder };
  const engine = await loaders[kind](artifactPath, { name: model, threads, ...generation, ...scratch });
  return {
    card: engine.card,
    get queueDepth() {
      return engine.load().waiting;
    },
    async answer(call, signal) {
      switch (call.type) {
        case "embed":
          return await engine.embed(call.inputs, { signal });
        case "rerank":
          return await engine.rerank(call.request, { signal });
        case "countTokens":
          return { tokens: await engine.countTokens(call.of, { signal }) };
        case "infer":
        case "classify":
          throw new EngineInputError("", "text: it is a language model", "tensors or an image");
      }
    },
    generate: ({ kind: asked, request }, signal) =>
      asked === "chat" ? engine.chat(request, { signal }) : engine.complete(request, { signal }),
    close: () => engine.close(),
  };
}
