/** @file One step of training in a graph: forward, losses, gradients, optimizer. */
import type { Value } from "@gristmill/onnx";
import { gradients } from "../autodiff/gradients.ts";
import type { GraphMath } from "../graph/graph-math.ts";
import { writeForward } from "./forward.ts";
import { fedOf, writeJudgement } from "./judge.ts";
import type { Objective } from "./objective.ts";
import { type Plan, slotId } from "./plan.ts";

/** What a step reads. */
export interface StepInputs {
  /** "x/…", "y/…", "weight/…" */
  readonly fed: ReadonlyMap<string, Value>;
  readonly scalars: Readonly<Record<string, Value>>;
  state(id: string): Value;
  randomKey(place: string): Value;
}

/** What a step makes. */
export interface StepResults {
  /** Every tensor of the state by its id. */
  readonly next: ReadonlyMap<string, Value>;
  /** What it says of its batch. */
  readonly reports: ReadonlyMap<string, Value>;
}

/**
 * A moment whose gradient is 0 decays to a denormal and sticks there (0.9 times it rounds to itself), and arithmetic on
 * denormals is several times slower: 6.2 instead of 4.3 ms a step on MNIST from the second epoch on. This much more
 * gradient keeps moments above that and moves no weight by anything that float32 can show.
 */
const denormalGuard = 1e-15;

/** Writes a step. All sizes of the plan are known. `recompute`: layers whose inside is computed again on the way back. */
export function writeStep(
  plan: Plan,
  objective: Objective,
  math: GraphMath,
  inputs: StepInputs,
  recompute: readonly string[],
): StepResults {
  const next = new Map<string, Value>();
  const added: Value[] = [];
  const outputs = writeForward(
    plan,
    math,
    plan.inputs.map(({ name }) => fedOf(inputs.fed, `x/${name}`)),
    {
      training: true,
      weight: (id) => ({ value: inputs.state(id), storage: storageOf(plan, id) }),
      randomKey: inputs.randomKey,
      update: (id, value) => void next.set(id, value),
      addLoss: (loss) => void added.push(loss),
    },
  );
  const { loss, reports } = writeJudgement(plan, math, objective, { ...inputs, outputs, added });

  const weights = plan.weights.filter(({ trainable }) => trainable);
  const values = weights.map(({ id }) => inputs.state(id));
  const slopes = gradients(math, { value: loss, gradient: math.scalar(1, loss) }, values, { recompute });
  const optimizer = objective.optimizer;
  const moving = weights.map(({ id, storage }, i) => {
    const [weight, slope] = [values[i], slopes[i]];
    if (weight === undefined || slope === undefined) throw new Error(`${id}: no gradient was written`);
    const slots = optimizer.slots(storage.stored).map(({ name }) => name);
    return {
      id,
      weight,
      gradient: slots.length > 0 ? math.add(slope, denormalGuard) : slope,
      slots: Object.fromEntries(slots.map((slot) => [slot, inputs.state(slotId(id, slot))])),
    };
  });
  const moved = math.builder.within("update", () =>
    optimizer.update({ math, weights: moving, scalars: inputs.scalars }),
  );
  moving.forEach(({ id, weight, slots }, i) => {
    const one = moved[i];
    if (one === undefined) throw new Error(`${id}: the optimizer forgot this weight`);
    next.set(id, math.sub(weight, one.move));
    for (const slot of Object.keys(slots)) {
      const value = one.slots[slot];
      if (value === undefined) throw new Error(`${id}: the optimizer forgot its slot "${slot}"`);
      next.set(slotId(id, slot), value);
    }
  });
  for (const { id } of plan.weights) if (!next.has(id)) next.set(id, inputs.state(id));
  return { next, reports };
}

const storageOf = (plan: Plan, id: string) => {
  const planned = plan.weights.find((weight) => weight.id === id);
  if (planned === undefined) throw new Error(`${id}: the plan has no such weight`);
  return planned.storage;
};
