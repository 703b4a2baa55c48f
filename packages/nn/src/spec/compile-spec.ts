/** @file What a model is trained for, as JSON: optimizer, losses, metrics. */
import { OnnxError } from "@gristmill/onnx";
import type { Objective, OutputObjective } from "../compile/objective.ts";
import { knownShape, type SampleShape } from "../layers/shape.ts";
import type { Loss } from "../losses/loss.ts";
import { type LossName, losses } from "../losses/table.ts";
import type { Metric } from "../metrics/metric.ts";
import { type MetricName, metrics as metricKinds } from "../metrics/table.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { type OptimizerName, optimizers } from "../optimizers/table.ts";
import { type KindSpec, type Made, parseKind } from "../schema/kind.ts";
import { isRecord, Problems, shown } from "../schema/problems.ts";
import { suggestion } from "../schema/suggest.ts";
import { type ModelSpec, parseModel } from "./model-spec.ts";

/** What a model is trained for, with every setting written out. Of several outputs, each by its name. */
export interface CompileSpec {
  readonly optimizer: KindSpec;
  readonly loss: KindSpec | Readonly<Record<string, KindSpec>>;
  readonly metrics: readonly KindSpec[] | Readonly<Record<string, readonly KindSpec[]>>;
  /** How much the loss of each output counts; left out for a model of one output. */
  readonly lossWeights?: Readonly<Record<string, number>>;
}

type LossOption = LossName | KindSpec | Made<Loss>;
type MetricOption = MetricName | KindSpec | Made<Metric>;

/** What callers may write: names, specs, or things made by functions such as `adam({ learningRate })`; by output where there are several. */
export interface CompileOptions {
  readonly optimizer: OptimizerName | KindSpec | Made<Optimizer>;
  readonly loss: LossOption | Readonly<Record<string, LossOption>>;
  readonly metrics?: readonly MetricOption[] | Readonly<Record<string, readonly MetricOption[]>>;
  /** 1 for each when left out. */
  readonly lossWeights?: Readonly<Record<string, number>>;
}

/** An objective and the JSON that makes it again. */
export interface MadeObjective {
  readonly spec: CompileSpec;
  readonly objective: Objective;
}

/** A metric and the name that reports use. */
interface NamedMetric extends Made<Metric> {
  readonly name: string;
}

/** An output of the model that is trained. */
interface Output {
  readonly name: string;
  readonly shape?: SampleShape;
}

const fields = ["optimizer", "loss", "metrics", "lossWeights"];

/** @throws SpecError listing every problem, that a loss does not fit its output among them. */
export function parseObjective(value: unknown, outputs: readonly Output[] = [{ name: "output" }]): MadeObjective {
  const problems = new Problems();
  const raw = isRecord(value) ? value : {};
  if (!isRecord(value)) problems.add("compile", `expected {"optimizer": ..., "loss": ...}, received ${shown(value)}`);
  for (const key of Object.keys(raw))
    if (!fields.includes(key))
      problems.add(key, `unknown field${suggestion(key, fields)}; expected ${fields.join(", ")}`);
  const optimizer = parseKind<Optimizer>(optimizers, "an optimizer", raw["optimizer"], "optimizer", problems);
  const isOne = outputs.length === 1;
  const lossOf = byOutput(raw["loss"], "loss", outputs, problems);
  const metricsOf = byOutput(raw["metrics"] ?? [], "metrics", outputs, problems);
  const weightOf = readWeights(raw["lossWeights"], outputs, problems);
  const made = outputs.map((output) => {
    const { name } = output;
    const place = (field: string): string => (isOne ? field : `${field}.${name}`);
    const loss = parseKind<Loss>(losses, "a loss", lossOf(name), place("loss"), problems);
    if (loss !== undefined && output.shape !== undefined) checkTarget(loss.value, output, place("loss"), problems);
    const metrics = readMetrics(metricsOf(name) ?? [], place("metrics"), problems);
    return { name, loss, metrics, weight: weightOf(name) };
  });
  problems.throwIfAny();
  if (optimizer === undefined) throw new Error("compile: nothing was made and no problem named");
  const objectives = made.map(({ name, loss, metrics, weight }): OutputObjective => {
    if (loss === undefined) throw new Error("compile: no loss was made and no problem named");
    const named = metrics.map((metric) => [isOne ? metric.name : `${name}/${metric.name}`, metric.value] as const);
    return { name, loss: loss.value, lossWeight: weight, metrics: new Map(named) };
  });
  const specs = made.map(({ name, loss, metrics, weight }) => ({
    name,
    loss: loss?.spec ?? { type: "" },
    metrics: metrics.map(({ spec }) => spec),
    weight,
  }));
  return {
    spec: {
      optimizer: optimizer.spec,
      loss: isOne ? (specs[0]?.loss ?? { type: "" }) : Object.fromEntries(specs.map((one) => [one.name, one.loss])),
      metrics: isOne ? (specs[0]?.metrics ?? []) : Object.fromEntries(specs.map((one) => [one.name, one.metrics])),
      ...(isOne ? {} : { lossWeights: Object.fromEntries(specs.map((one) => [one.name, one.weight])) }),
    },
    objective: { optimizer: optimizer.value, outputs: objectives },
  };
}

/** Reads a setting that is one thing for every output, or one for each by name. */
function byOutput(
  value: unknown,
  field: string,
  outputs: readonly Output[],
  problems: Problems,
): (name: string) => unknown {
  const isByName = isRecord(value) && value["type"] === undefined && !isRecord(value["spec"]);
  if (!isByName) return () => value;
  const names = outputs.map(({ name }) => name);
  for (const key of Object.keys(value))
    if (!names.includes(key))
      problems.add(`${field}.${key}`, `no output has this name${suggestion(key, names)}; outputs: ${names.join(", ")}`);
  return (name) => value[name];
}

function readWeights(value: unknown, outputs: readonly Output[], problems: Problems): (name: string) => number {
  if (value === undefined) return () => 1;
  const names = outputs.map(({ name }) => name);
  if (!isRecord(value)) {
    problems.add("lossWeights", `expected a number for each output, { ${names.join(", ")} }, received ${shown(value)}`);
    return () => 1;
  }
  for (const [name, weight] of Object.entries(value)) {
    if (!names.includes(name))
      problems.add(`lossWeights.${name}`, `no output has this name; outputs: ${names.join(", ")}`);
    if (typeof weight !== "number" || !(weight >= 0 && weight < Number.POSITIVE_INFINITY))
      problems.add(`lossWeights.${name}`, `expected a number from 0, received ${shown(weight)}`);
  }
  return (name) => {
    const weight = value[name];
    return typeof weight === "number" ? weight : 1;
  };
}

function readMetrics(list: unknown, where: string, problems: Problems): NamedMetric[] {
  if (!Array.isArray(list)) problems.add(where, `expected a list of metrics, received ${shown(list)}`);
  const metrics = (Array.isArray(list) ? (list as readonly unknown[]) : []).flatMap((metric, i) => {
    const { name, ...raw } = isRecord(metric) ? metric : {};
    if (name !== undefined && (typeof name !== "string" || name === ""))
      problems.add(`${where}[${i}].name`, `expected a name, received ${shown(name)}`);
    const made = parseKind<Metric>(
      metricKinds,
      "a metric",
      isRecord(metric) ? raw : metric,
      `${where}[${i}]`,
      problems,
    );
    if (made === undefined) return [];
    const named = typeof name === "string" ? { name } : {};
    return [
      { name: typeof name === "string" ? name : made.spec.type, spec: { ...made.spec, ...named }, value: made.value },
    ];
  });
  if (new Set(metrics.map(({ name }) => name)).size < metrics.length)
    problems.add(where, 'expected each metric once; give the second a name of its own: { "type": ..., "name": ... }');
  return metrics;
}

function checkTarget(loss: Loss, { name, shape = [] }: Output, where: string, problems: Problems): void {
  try {
    // sizes that only the data tells are no matter to a loss, but where it needs them it says so when they come
    loss.target(
      knownShape(
        shape.map((size) => size ?? 1),
        name,
      ),
    );
  } catch (error) {
    if (!(error instanceof OnnxError)) throw error;
    problems.add(where, error.message);
  }
}

/**
 * Reads what a model is trained for, and writes out every setting. With the model's description it also checks that
 * each loss fits its output. Pure, as `parseSpec`.
 * @throws SpecError listing every problem.
 */
export const parseCompileSpec = (value: unknown, model?: ModelSpec): CompileSpec =>
  parseObjective(value, model === undefined ? undefined : parseModel(model).plan.outputs).spec;
