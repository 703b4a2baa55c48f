/**
 * @file The training program: forward graph, gradients and optimizer of many steps as one ONNX Loop. The state goes round
 * inside the runtime, so nothing is copied between steps; and no weight is ever written while something still reads it,
 * which single steps with their outputs over their inputs get wrong silently.
 */
import { GraphBuilder, type Model, model, tensor, type Value } from "@gristmill/onnx";
import { gradients } from "../autodiff/gradients.ts";
import { GraphMath, sizesOf } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { writeForward } from "./forward.ts";
import { type InputFormat, writeInput } from "./input-format.ts";
import { type Objective, targetShape, writeObjective } from "./objective.ts";
import type { Plan } from "./plan.ts";

/** A program and the names it is fed by. Inputs: `count`, `x`, `y`, `scalar/…`, `random/…` and the state; outputs: `next/…`, `loss`, `metric/…`. */
export interface TrainingProgram {
  readonly model: Model;
  /** Names of the optimizer's scalars; each is fed as float32 [count]. */
  readonly scalars: readonly string[];
  /** Layers that want a key for each step; each is fed as uint32 [count]. */
  readonly randomLayers: readonly string[];
}

/** Name of what the optimizer remembers of a weight. */
export const slotId = (weight: string, slot: string): string => `${weight}:${slot}`;

/** Every float32 tensor that goes from step to step, with its sizes as kept: weights, then what the optimizer remembers. */
export const stateOf = (plan: Plan, slots: readonly string[]): ReadonlyMap<string, readonly number[]> =>
  new Map(
    plan.weights.flatMap(({ id, storage }) => [
      [id, storage.stored] as const,
      ...slots.map((slot) => [slotId(id, slot), storage.stored] as const),
    ]),
  );

/**
 * A moment whose gradient is 0 decays to a denormal and sticks there (0.9 times it rounds to itself), and arithmetic on
 * denormals is several times slower: 6.2 instead of 4.3 ms a step on MNIST from the second epoch on. This much more
 * gradient keeps moments above that and moves no weight by anything that float32 can show.
 */
const denormalGuard = 1e-15;

/** Writes the program for batches of one size. `count`, the number of steps, is known only when it runs. */
export function trainingProgram(plan: Plan, objective: Objective, batch: number, format: InputFormat): TrainingProgram {
  const outer = new GraphBuilder("training");
  const target = objective.loss.target(plan.outputShape);
  const count = outer.input("count", "int64", []);
  const x = outer.input("x", format.dtype, ["count", batch, ...plan.inputShape]);
  const y = outer.input("y", target.dtype, targetShape(target, "count", batch));
  const scalarNames = Object.keys(objective.optimizer.scalars(1));
  const scalars = new Map(scalarNames.map((name) => [name, outer.input(`scalar/${name}`, "float32", ["count"])]));
  const state = [...stateOf(plan, objective.optimizer.slots)];
  const starts = state.map(([id, sizes]) => outer.input(id, "float32", sizes));

  const body = new GraphBuilder("step", { outer });
  const trip = body.input("trip", "int64", []);
  const goesOn = body.input("goesOn", "bool", []);
  const carried = new Map(state.map(([id, sizes]) => [id, body.input(`now/${id}`, "float32", sizes)]));
  const math = new GraphMath(body);
  const ofTrip = (rows: Value): Value => body.op("Gather", [rows, trip], { axis: 0 });
  const randomLayers = new Map<string, Value>();
  const step = writeStep(plan, objective, math, {
    x: writeInput(math, ofTrip(x), format, plan.inputShape),
    y: ofTrip(y),
    scalars: new Map([...scalars].map(([name, rows]) => [name, ofTrip(rows)])),
    state: (id) => present(carried, id),
    randomKey(layer) {
      const rows = outer.input(`random/${layer}`, "uint32", ["count"]);
      randomLayers.set(layer, rows);
      return ofTrip(rows);
    },
  });
  body.output(goesOn);
  for (const [id] of state) body.output(present(step.next, id));
  const reports = [step.loss, ...step.metrics.values()];
  for (const report of reports) body.output(report);

  const always = outer.constant(tensor("bool", [], Uint8Array.of(1)));
  const results = outer.ops(
    "Loop",
    [count, always, ...starts],
    { body: prune(body.build()) },
    state.length + reports.length,
  );
  const outputNames = [
    ...state.map(([id]) => `next/${id}`),
    "loss",
    ...[...step.metrics.keys()].map((m) => `metric/${m}`),
  ];
  results.forEach((result, i) => void outer.output(result, outputNames[i] ?? result.name));
  return { model: model(outer.build()), scalars: scalarNames, randomLayers: [...randomLayers.keys()] };
}

interface StepInputs {
  readonly x: Value;
  readonly y: Value;
  readonly scalars: ReadonlyMap<string, Value>;
  state(id: string): Value;
  randomKey(layer: string): Value;
}

interface StepResults {
  readonly next: ReadonlyMap<string, Value>;
  /** Means over the batch. */
  readonly loss: Value;
  readonly metrics: ReadonlyMap<string, Value>;
}

function writeStep(plan: Plan, objective: Objective, math: GraphMath, inputs: StepInputs): StepResults {
  const output = writeForward(plan, math, inputs.x, {
    training: true,
    weight: (id) => inputs.state(id),
    randomKey: inputs.randomKey,
  });
  const perSample = writeObjective(math, objective, output, inputs.y, plan.outputShape);
  const [batch = 1] = sizesOf(perSample.loss);
  // d mean(loss) / d loss of each sample
  const share = math.builder.constant(tensor("float32", [batch], new Float32Array(batch).fill(1 / batch)));
  const weights = plan.weights.map(({ id }) => inputs.state(id));
  const slopes = gradients(math, { value: perSample.loss, gradient: share }, weights);

  const { slots, update } = objective.optimizer;
  const next = new Map<string, Value>();
  plan.weights.forEach(({ id }, i) => {
    const [weight, slope] = [weights[i], slopes[i]];
    if (weight === undefined || slope === undefined) throw new Error(`${id}: no gradient was written`);
    math.builder.within(`update/${id}`, () => {
      const updated = update({
        math,
        weight,
        gradient: slots.length > 0 ? math.add(slope, denormalGuard) : slope,
        slots: Object.fromEntries(slots.map((slot) => [slot, inputs.state(slotId(id, slot))])),
        scalars: Object.fromEntries(inputs.scalars),
      });
      next.set(id, updated.weight);
      for (const slot of slots) {
        const value = updated.slots[slot];
        if (value === undefined) throw new Error(`${id}: the optimizer forgot its slot "${slot}"`);
        next.set(slotId(id, slot), value);
      }
    });
  });
  const mean = (value: Value): Value => math.mean(value, [0]);
  const metrics = new Map([...perSample.metrics].map(([name, value]) => [name, mean(value)]));
  return { next, loss: mean(perSample.loss), metrics };
}

function present(values: ReadonlyMap<string, Value>, id: string): Value {
  const value = values.get(id);
  if (value === undefined) throw new Error(`${id}: the program has no such state`);
  return value;
}
