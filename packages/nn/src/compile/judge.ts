/** @file What a graph says of a batch: its loss, penalties and layers' own losses with it, and the sums of its metrics. */
import type { Value } from "@gristmill/onnx";
import type { GraphMath } from "../graph/graph-math.ts";
import type { Features } from "../layers/features.ts";
import { regularizers } from "../regularizers/table.ts";
import { madeFrom } from "../schema/kind.ts";
import { type Objective, writeObjective } from "./objective.ts";
import type { Plan } from "./plan.ts";

/** A batch that went forward. */
export interface Answered {
  /** In the plan's order. */
  readonly outputs: readonly Features[];
  /** Losses that layers added. */
  readonly added: readonly Value[];
  /** "y/…" and, where samples have weights, "weight/…" */
  readonly fed: ReadonlyMap<string, Value>;
  state(id: string): Value;
}

/** Writes the loss, a scalar, and the reports by name: "loss", "loss/…", "metric/…/…". */
export function writeJudgement(
  plan: Plan,
  math: GraphMath,
  objective: Objective,
  { outputs, added, fed, state }: Answered,
): { readonly loss: Value; readonly reports: ReadonlyMap<string, Value> } {
  const judged = writeObjective(
    math,
    objective,
    outputs.map((features, i) => {
      const name = plan.outputs[i]?.name ?? "";
      return { features, target: fedOf(fed, `y/${name}`), weight: fed.get(`weight/${name}`) };
    }),
  );
  const loss = [...added, ...penalties(plan, math, state)].reduce((sum, one) => math.add(sum, one), judged.loss);
  const reports = new Map([
    ["loss", loss],
    ...[...judged.losses].map(([name, value]) => [`loss/${name}`, value] as const),
    ...[...judged.sums].flatMap(([metric, values]) =>
      Object.entries(values).map(([name, value]) => [`metric/${metric}/${name}`, value] as const),
    ),
  ]);
  return { loss, reports };
}

/** What a program is fed by a name. @throws Error when it is not */
export function fedOf(fed: ReadonlyMap<string, Value>, name: string): Value {
  const value = fed.get(name);
  if (value === undefined) throw new Error(`${name}: the program is not fed it`);
  return value;
}

/** What regularizers add to the loss. Frozen weights are fixed, so theirs would only shift it, as in Keras it does. */
const penalties = (plan: Plan, math: GraphMath, state: (id: string) => Value): Value[] =>
  plan.weights.flatMap(({ id, parameter: { regularizer } }) =>
    regularizer === undefined
      ? []
      : [math.builder.within(`regularizer/${id}`, () => madeFrom(regularizers, regularizer)(math, state(id)))],
  );
