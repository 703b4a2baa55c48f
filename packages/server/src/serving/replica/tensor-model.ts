/** @file An ONNX graph in a replica: tensors or images in, tensors out, through the batch queue. */
import { Batcher, EngineInputError, EngineRequestError, loadOnnxEngine } from "@gristmill/engine";
import { createImageReader } from "./image-tensor.ts";
import type { ReplicaSettings, ReplicaStart, TensorAnswer } from "./protocol.ts";
import type { ServedModel } from "./served-model.ts";

type TensorSettings = Extract<ReplicaSettings, { engine: "onnx" }>;

/** Loads a graph. @throws EngineRunError when the engine refuses it. */
export async function loadTensorModel(start: ReplicaStart, settings: TensorSettings): Promise<ServedModel> {
  const { model, threads, artifactPath } = start;
  const { batching, task } = settings;
  const engine = await loadOnnxEngine(artifactPath, { threads, name: model });
  const readImage = task === null ? undefined : await createImageReader(task);
  const imageInput = engine.signature.inputs[0]?.name ?? "";
  const batcher = new Batcher(engine, batching);

  async function classify(bytes: Uint8Array, signal: AbortSignal): Promise<TensorAnswer> {
    if (readImage === undefined)
      throw new EngineInputError(imageInput, "tensors", "an image, which only an image classifier takes");
    const image = await readImage(bytes);
    signal.throwIfAborted();
    return await batcher.submit({ [imageInput]: image }, { signal });
  }

  const notLanguage = (): never => {
    throw new EngineRequestError("model", `${model} is an ONNX graph, which takes tensors and no text`);
  };
  return {
    card: null,
    get queueDepth() {
      return batcher.depth;
    },
    async answer(call, signal) {
      if (call.type === "classify") return await classify(call.image, signal);
      if (call.type !== "infer") return notLanguage();
      return await batcher.submit(call.inputs, { signal, ...(call.outputs && { outputs: call.outputs }) });
    },
    generate: notLanguage,
    async close() {},
  };
}
