/** @file The evaluation program: loss and sums of metrics of a batch of any size, with weights that are fed. */
import { GraphBuilder, type Model, model, type Value } from "@gristmill/onnx";
import { GraphMath } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { dataInputs, type Formats, writeInput } from "./data-inputs.ts";
import { writeForward } from "./forward.ts";
import { fedOf, writeJudgement } from "./judge.ts";
import { type Objective, targetsOf } from "./objective.ts";
import type { Plan } from "./plan.ts";

/** Inputs: `x/…`, `y/…`, `weight/…` [batch, ...] and `state/…` as kept. Outputs: `report/…` as in training, and `next/…` of layers' states. */
export function evaluationProgram(plan: Plan, objective: Objective, formats: Formats): Model {
  const builder = new GraphBuilder("evaluation");
  const math = new GraphMath(builder);
  const data = dataInputs(plan, targetsOf(objective, plan.outputs), formats);
  const fed = new Map(
    data.map((one) => [one.name, writeInput(math, builder.input(one.name, one.dtype, ["batch", ...one.shape]), one)]),
  );
  const state = new Map(
    plan.weights.map(({ id, storage }) => [id, builder.input(`state/${id}`, "float32", storage.stored)]),
  );
  const stateOf = (id: string): Value => {
    const value = state.get(id);
    if (value === undefined) throw new Error(`${id}: the plan has no such weight`);
    return value;
  };
  const added: Value[] = [];
  const outputs = writeForward(
    plan,
    math,
    plan.inputs.map(({ name }) => fedOf(fed, `x/${name}`)),
    {
      training: false,
      weight: (id, storage) => ({ value: stateOf(id), storage }),
      randomKey: (place) => {
        throw new Error(`${place}: asked for randomness outside training`);
      },
      update: (id, next) => {
        if (plan.weights.find((weight) => weight.id === id)?.parameter.role === "state")
          builder.output(next, `next/${id}`);
      },
      addLoss: (loss) => void added.push(loss),
    },
  );
  const { reports } = writeJudgement(plan, math, objective, { outputs, added, fed, state: stateOf });
  for (const [name, value] of reports) builder.output(value, `report/${name}`);
  return model(prune(builder.build()));
}
