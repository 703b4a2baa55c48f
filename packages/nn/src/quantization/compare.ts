/** @file A float model and its quantized twin on the same data: scores by the same losses and metrics, and answers. */
import { createSession, type Model as OnnxModel, type Session } from "@gristmill/onnx";
import { evaluationProgram } from "../compile/evaluation-program.ts";
import { metricsOf } from "../compile/objective.ts";
import { DataError, NnError } from "../errors.ts";
import type { Model } from "../model/model.ts";
import { predictTables } from "../model/predict.ts";
import { Programs } from "../model/programs.ts";
import { keptWeights } from "../model/weights.ts";
import { parseObjective } from "../spec/compile-spec.ts";
import { parseModel } from "../spec/model-spec.ts";
import { evaluateFeed } from "../training/evaluate.ts";
import { tableFeed } from "../training/feed.ts";
import type { Scores } from "../training/history.ts";
import { arrayTable } from "../training/samples.ts";
import {
  checkTable,
  columnsOf,
  isTable,
  type LabelledData,
  part,
  type Signature,
  sampleShapes,
  type Table,
} from "../training/source.ts";
import { constantPlan } from "./constant-plan.ts";

/** How far apart the answers of one output are. */
export interface AnswerDifference {
  /** Largest difference of two numbers. */
  readonly largest: number;
  /** Root of the mean square of the differences, over that of the float model's answers. */
  readonly relative: number;
}

/** A float model and its quantized twin side by side. */
export interface Comparison {
  readonly samples: number;
  readonly float: Scores;
  readonly quantized: Scores;
  /** "loss" and each metric by name: quantized less float. */
  readonly difference: Readonly<Record<string, number>>;
  /** By output. */
  readonly answers: Readonly<Record<string, AnswerDifference>>;
}

/** What is compared. */
export interface Twins {
  readonly float: OnnxModel;
  readonly quantized: OnnxModel;
  /** Quantizes the same nodes of another graph with the same layers. */
  readonly again: (model: OnnxModel) => OnnxModel;
}

/** How the comparison runs. */
export interface CompareOptions {
  readonly batchSize: number;
  readonly threads: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Scores both on all samples. The forward graph inside the evaluation program is quantized as the exported one is, so
 * that losses, metrics, masks and weights of samples count alike.
 * @throws DataError for data that do not fit, NnError for a model without a loss
 */
export async function compareTwins(
  model: Model,
  twins: Twins,
  data: LabelledData | Table,
  options: CompareOptions,
): Promise<Comparison> {
  const { compileSpec } = model;
  if (compileSpec === undefined)
    throw new NnError("quantize: evaluateOn needs a loss and metrics; call compile first, or leave evaluateOn out");
  const { network, plan } = parseModel(model.toSpec());
  const { objective } = parseObjective(compileSpec, plan.outputs);
  const programs = new Programs(network, plan);
  const signature = programs.signature(objective);
  const table = tableOf(data, signature);
  if (table.length === 0) throw new DataError("evaluateOn: expected at least one sample, received none");
  const weights = model.getWeights();
  const sized = programs.planFor(sampleShapes(table, signature.inputs));
  const inputs = [...columnsOf(table.columns, "x")].map(
    ([name, { dtype, scale = 1 }]) => [name, { dtype, scale }] as const,
  );
  const formats = {
    inputs: new Map(inputs),
    weights: new Map([...columnsOf(table.columns, "weight")].map(([name, { shape }]) => [name, shape])),
  };
  const program = evaluationProgram(constantPlan(sized, keptWeights(plan, weights)), objective, formats);
  const order = Uint32Array.from({ length: table.length }, (_, i) => i);
  const score = (written: OnnxModel): Promise<Scores> =>
    withSession(written, options, (session) =>
      evaluateFeed(
        {
          session: async () => session,
          metrics: metricsOf(objective),
          outputs: plan.outputs.map(({ name }) => name),
          // memories of stateful layers are written into: each twin has its own
          state: keptWeights(plan, weights),
        },
        tableFeed(table, order, options.batchSize, signature),
        options.signal,
      ),
    );
  const float = await score(program);
  const quantized = await score(twins.again(program));
  return {
    samples: table.length,
    float,
    quantized,
    difference: {
      loss: quantized.loss - float.loss,
      ...Object.fromEntries(
        Object.entries(float.metrics).map(([name, value]) => [name, (quantized.metrics[name] ?? Number.NaN) - value]),
      ),
    },
    answers: await answersApart(twins, table, options),
  };
}

function tableOf(data: LabelledData | Table, signature: Signature): Table {
  const table = isTable(data) ? data : arrayTable(data, signature);
  checkTable(table, signature);
  return table;
}

async function withSession<T>(
  model: OnnxModel,
  { threads }: CompareOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await createSession(model, threads === undefined ? {} : { threads });
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** Batch by batch, so that the answers of large data never stand in memory together. */
function answersApart(
  { float, quantized }: Twins,
  table: Table,
  options: CompareOptions,
): Promise<Readonly<Record<string, AnswerDifference>>> {
  const sums = new Map<string, { largest: number; apart: number; size: number }>();
  return withSession(float, options, (one) =>
    withSession(quantized, options, async (other) => {
      for (let at = 0; at < table.length; at += options.batchSize) {
        const rows = part(table, at, Math.min(at + options.batchSize, table.length));
        const ask = (session: Session) => predictTables({ ...options, session, tables: once(rows), state: new Map() });
        const [expected, received] = [await ask(one), await ask(other)];
        for (const [name, { data }] of Object.entries(expected)) {
          const sum = sums.get(name) ?? { largest: 0, apart: 0, size: 0 };
          sums.set(name, sum);
          data.forEach((value, i) => {
            const apart = Math.abs(value - (received[name]?.data[i] ?? Number.NaN));
            // NaN is kept: a largest difference that ignores it would hide broken answers
            if (!(apart <= sum.largest)) sum.largest = apart;
            sum.apart += apart * apart;
            sum.size += value * value;
          });
        }
      }
      return Object.fromEntries(
        [...sums].map(([name, { largest, apart, size }]) => [
          name,
          { largest, relative: apart === 0 ? 0 : Math.sqrt(apart / size) },
        ]),
      );
    }),
  );
}

async function* once(table: Table): AsyncGenerator<Table> {
  yield table;
}
