/** @file The model that is served: the forward graph alone, its weights inside. The runtime is fastest with constant weights. */
import { GraphBuilder, type Model, model, tensor } from "@gristmill/onnx";
import { GraphMath } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { writeForward } from "./forward.ts";
import type { Plan } from "./plan.ts";

/** Input `input` float32 [batch, ...], output `output` float32 [batch, ...]; `weights` are as kept, by id. */
export function inferenceProgram(
  plan: Plan,
  weights: (id: string) => Float32Array<ArrayBuffer>,
  metadata: Readonly<Record<string, string>> = {},
): Model {
  const builder = new GraphBuilder("model");
  const input = builder.input("input", "float32", ["batch", ...plan.inputShape]);
  const output = writeForward(plan, new GraphMath(builder), input, {
    training: false,
    weight: (id, storage) => builder.initializer(id, tensor("float32", storage.stored, Float32Array.from(weights(id)))),
    randomKey: (layer) => {
      throw new Error(`${layer}: asked for randomness outside training`);
    },
  });
  builder.output(output, "output");
  return model(prune(builder.build()), { metadata });
}
