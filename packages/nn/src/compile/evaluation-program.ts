/** @file The evaluation program: loss and metrics of each sample, for batches of any size, with weights that are fed. */
import { GraphBuilder, type Model, model } from "@gristmill/onnx";
import { GraphMath } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { writeForward } from "./forward.ts";
import { type InputFormat, writeInput } from "./input-format.ts";
import { type Objective, targetShape, writeObjective } from "./objective.ts";
import type { Plan } from "./plan.ts";

/** Inputs: `x` [batch, ...], `y` [batch, ...] and the weights as kept. Outputs: `loss` and `metric/…`, each float32 [batch]. */
export function evaluationProgram(plan: Plan, objective: Objective, format: InputFormat): Model {
  const builder = new GraphBuilder("evaluation");
  const math = new GraphMath(builder);
  const target = objective.loss.target(plan.outputShape);
  const x = builder.input("x", format.dtype, ["batch", ...plan.inputShape]);
  const y = builder.input("y", target.dtype, targetShape(target, "batch"));
  const output = writeForward(plan, math, writeInput(math, x, format, plan.inputShape), {
    training: false,
    weight: (id, storage) => builder.input(id, "float32", storage.stored),
    randomKey: (layer) => {
      throw new Error(`${layer}: asked for randomness outside training`);
    },
  });
  const { loss, metrics } = writeObjective(math, objective, output, y, plan.outputShape);
  builder.output(loss, "loss");
  for (const [name, value] of metrics) builder.output(value, `metric/${name}`);
  return model(prune(builder.build()));
}
