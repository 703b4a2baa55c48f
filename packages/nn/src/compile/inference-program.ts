/** @file The model that is served: the forward graph alone, its weights inside. The runtime is fastest with constant weights. */
import { GraphBuilder, type Model, model, tensor } from "@gristmill/onnx";
import { GraphMath } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { writeForward } from "./forward.ts";
import { dimsOf, type Plan } from "./plan.ts";

/** How to write the model. */
export interface InferenceOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * Memories of stateful layers as inputs `state/…` and outputs `next/…`, for runs that follow one another. Without it they
   * are constants, as they are now: every run starts from them.
   */
  readonly stateful?: boolean;
}

/** Inputs and outputs by the plan's names, [batch, ...] as outside; `weights` are as kept, by id. */
export function inferenceProgram(
  plan: Plan,
  weights: (id: string) => Float32Array<ArrayBuffer>,
  { metadata = {}, stateful = false }: InferenceOptions = {},
): Model {
  const builder = new GraphBuilder("model");
  const isFed = (id: string): boolean =>
    stateful && plan.weights.find((weight) => weight.id === id)?.parameter.role === "state";
  const inputs = plan.inputs.map((one) => builder.input(one.name, one.dtype, ["batch", ...dimsOf(one)]));
  const outputs = writeForward(plan, new GraphMath(builder), inputs, {
    training: false,
    weight: (id, storage) => ({
      value: isFed(id)
        ? builder.input(`state/${id}`, "float32", storage.stored)
        : builder.initializer(id, tensor("float32", storage.stored, Float32Array.from(weights(id)))),
      storage,
    }),
    randomKey: (place) => {
      throw new Error(`${place}: asked for randomness outside training`);
    },
    update: (id, next) => {
      if (isFed(id)) builder.output(next, `next/${id}`);
    },
    addLoss: () => {},
  });
  outputs.forEach(({ value }, i) => void builder.output(value, plan.outputs[i]?.name ?? "output"));
  return model(prune(builder.build()), { metadata });
}
