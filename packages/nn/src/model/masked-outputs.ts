import { GraphBuilder } from "@gristmill/onnx";
import { writeForward } from "../compile/forward.ts";
import { dimsOf, type Plan } from "../compile/plan.ts";
import { GraphMath } from "../graph/graph-math.ts";

/** Names of a model's outputs that a mask goes with. The forward graph is written for it, and thrown away. */
export function maskedOutputs(plan: Plan): ReadonlySet<string> {
  const builder = new GraphBuilder("masks");
  const outputs = writeForward(
    plan,
    new GraphMath(builder),
    plan.inputs.map((one) => builder.input(`x/${one.name}`, one.dtype, ["batch", ...dimsOf(one)])),
    {
      training: false,
      weight: (id, storage) => ({ value: builder.input(`state/${id}`, "float32", storage.stored), storage }),
      randomKey: (place) => builder.input(`random/${place}`, "uint32", []),
      update: () => {},
      addLoss: () => {},
    },
  );
  return new Set(plan.outputs.flatMap(({ name }, i) => (outputs[i]?.mask === undefined ? [] : [name])));
}
