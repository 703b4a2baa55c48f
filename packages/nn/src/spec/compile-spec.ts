/** @file What a model is trained for, as JSON: optimizer, loss, metrics. */
import { OnnxError } from "@gristmill/onnx";
import type { Objective } from "../compile/objective.ts";
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

/** What a model is trained for, with every setting written out. */
export interface CompileSpec {
  readonly optimizer: KindSpec;
  readonly loss: KindSpec;
  readonly metrics: readonly KindSpec[];
}

/** What callers may write: names, specs, or things made by functions such as `adam({ learningRate })`. */
export interface CompileOptions {
  readonly optimizer: OptimizerName | KindSpec | Made<Optimizer>;
  readonly loss: LossName | KindSpec | Made<Loss>;
  readonly metrics?: readonly (MetricName | KindSpec | Made<Metric>)[];
}

/** An objective and the JSON that makes it again. */
export interface MadeObjective {
  readonly spec: CompileSpec;
  readonly objective: Objective;
}

const fields = ["optimizer", "loss", "metrics"];

/** @throws SpecError listing every problem, that the loss does not fit the model's output among them. */
export function parseObjective(value: unknown, outputShape?: readonly number[]): MadeObjective {
  const problems = new Problems();
  const raw = isRecord(value) ? value : {};
  if (!isRecord(value)) problems.add("compile", `expected {"optimizer": ..., "loss": ...}, received ${shown(value)}`);
  for (const key of Object.keys(raw))
    if (!fields.includes(key))
      problems.add(key, `unknown field${suggestion(key, fields)}; expected ${fields.join(", ")}`);
  const optimizer = parseKind<Optimizer>(optimizers, "an optimizer", raw["optimizer"], "optimizer", problems);
  const loss = parseKind<Loss>(losses, "a loss", raw["loss"], "loss", problems);
  const list: unknown = raw["metrics"] ?? [];
  if (!Array.isArray(list)) problems.add("metrics", `expected a list of metrics, received ${shown(list)}`);
  const metrics = (Array.isArray(list) ? (list as readonly unknown[]) : []).flatMap(
    (metric, i) => parseKind<Metric>(metricKinds, "a metric", metric, `metrics[${i}]`, problems) ?? [],
  );
  const byName = new Map(metrics.map(({ spec, value: metric }) => [spec.type, metric]));
  if (byName.size < metrics.length) problems.add("metrics", "expected each metric once");
  if (loss !== undefined && outputShape !== undefined) checkTarget(loss.value, outputShape, problems);
  problems.throwIfAny();
  if (optimizer === undefined || loss === undefined) throw new Error("compile: nothing was made and no problem named");
  return {
    spec: { optimizer: optimizer.spec, loss: loss.spec, metrics: metrics.map(({ spec }) => spec) },
    objective: { optimizer: optimizer.value, loss: loss.value, metrics: byName },
  };
}

function checkTarget(loss: Loss, outputShape: readonly number[], problems: Problems): void {
  try {
    loss.target(outputShape);
  } catch (error) {
    if (!(error instanceof OnnxError)) throw error;
    problems.add("loss", error.message);
  }
}

/**
 * Reads what a model is trained for, and writes out every setting. With the model's description it also checks that
 * the loss fits the model's output. Pure, as `parseSpec`.
 * @throws SpecError listing every problem.
 */
export const parseCompileSpec = (value: unknown, model?: ModelSpec): CompileSpec =>
  parseObjective(value, model === undefined ? undefined : parseModel(model).plan.outputShape).spec;
