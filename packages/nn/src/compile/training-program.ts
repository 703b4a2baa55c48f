/**
 * @file The training program: forward graph, gradients and optimizer of many steps as one ONNX Loop. The state goes round
 * inside the runtime, so nothing is copied between steps; and no weight is ever written while something still reads it,
 * which single steps with their outputs over their inputs get wrong silently.
 */
import { GraphBuilder, type Model, model, tensor, type Value } from "@gristmill/onnx";
import { GraphMath } from "../graph/graph-math.ts";
import { prune } from "../graph/prune.ts";
import { dataInputs, type Formats, writeInput } from "./data-inputs.ts";
import { type Objective, targetsOf } from "./objective.ts";
import { type Plan, stateOf } from "./plan.ts";
import { type StepInputs, type StepResults, writeStep } from "./training-step.ts";

/** A program and the names it is fed by. Inputs: `count`, `x/…`, `y/…`, `weight/…`, `scalar/…`, `random/…`, `state/…`; outputs: `next/…` and `report/…`. */
export interface TrainingProgram {
  readonly model: Model;
  /** Names of the optimizer's scalars; each is fed as float32 [count]. */
  readonly scalars: readonly string[];
  /** Places that want a key for each step; each is fed as uint32 [count]. */
  readonly randomPlaces: readonly string[];
  /** Outputs of each step, stacked: "loss", "loss/OUTPUT", "metric/NAME/SUM". */
  readonly reports: readonly string[];
}

/** Writes the program for batches of one size. `count`, the number of steps, is known only when it runs. */
export function trainingProgram(
  plan: Plan,
  objective: Objective,
  batch: number,
  formats: Formats,
  recompute: readonly string[] = [],
): TrainingProgram {
  const outer = new GraphBuilder("training");
  const count = outer.input("count", "int64", []);
  const data = dataInputs(plan, targetsOf(objective, plan.outputs), formats);
  const columns = data.map((one) => outer.input(one.name, one.dtype, ["count", batch, ...one.shape]));
  const scalarNames = Object.keys(objective.optimizer.scalars(1, 1));
  const scalars = scalarNames.map((name) => outer.input(`scalar/${name}`, "float32", ["count"]));
  const state = [...stateOf(plan, objective.optimizer)];
  const starts = state.map(([id, { shape }]) => outer.input(`state/${id}`, "float32", shape));

  const body = new GraphBuilder("step", { outer });
  const trip = body.input("trip", "int64", []);
  const goesOn = body.input("goesOn", "bool", []);
  const carried = new Map(state.map(([id, { shape }]) => [id, body.input(`now/${id}`, "float32", shape)]));
  const math = new GraphMath(body);
  const ofTrip = (rows: Value): Value => body.op("Gather", [rows, trip], { axis: 0 });
  const randomPlaces = new Map<string, Value>();
  const fed = new Map(data.map((one, i) => [one.name, writeInput(math, ofTrip(present(columns[i], one.name)), one)]));
  const inputs: StepInputs = {
    fed,
    scalars: Object.fromEntries(scalarNames.map((name, i) => [name, ofTrip(present(scalars[i], name))])),
    state: (id) => present(carried.get(id), id),
    randomKey(place) {
      const rows = randomPlaces.get(place) ?? outer.input(`random/${place}`, "uint32", ["count"]);
      randomPlaces.set(place, rows);
      return ofTrip(rows);
    },
  };
  const step = writeStep(plan, objective, math, inputs, recompute);
  const reports = writeLoopOutputs(
    body,
    goesOn,
    state.map(([id]) => id),
    step,
  );

  const always = outer.constant(tensor("bool", [], Uint8Array.of(1)));
  const attributes = { body: prune(body.build()) };
  const results = outer.ops("Loop", [count, always, ...starts], attributes, state.length + reports.length);
  const names = [...state.map(([id]) => `next/${id}`), ...reports.map((name) => `report/${name}`)];
  results.forEach((result, i) => void outer.output(result, names[i] ?? result.name));
  return { model: model(outer.build()), scalars: scalarNames, randomPlaces: [...randomPlaces.keys()], reports };
}

/** The body's outputs: the condition, the state, then what each step reports. Gives the names of the reports. */
function writeLoopOutputs(
  body: GraphBuilder,
  goesOn: Value,
  ids: readonly string[],
  step: StepResults,
): readonly string[] {
  body.output(goesOn);
  for (const id of ids) body.output(present(step.next.get(id), id));
  for (const report of step.reports.values()) body.output(report);
  return [...step.reports.keys()];
}

function present(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`${what}: the program has no such value`);
  return value;
}
