/** @file A model's programs: plans for the sizes that the data has, and the sessions that run them. */
import type { Model as OnnxModel } from "@gristmill/onnx";
import type { Formats } from "../compile/data-inputs.ts";
import { evaluationProgram } from "../compile/evaluation-program.ts";
import type { Objective } from "../compile/objective.ts";
import { targetsOf } from "../compile/objective.ts";
import { type Plan, planModel } from "../compile/plan.ts";
import { trainingProgram } from "../compile/training-program.ts";
import { DataError } from "../errors.ts";
import { vocabulariesOf } from "../layers/embedding/vocabulary.ts";
import type { SampleShape } from "../layers/shape.ts";
import type { Network } from "../network/network.ts";
import type { MadeObjective } from "../spec/compile-spec.ts";
import type { Run } from "../training/feed.ts";
import type { Trainer } from "../training/fit.ts";
import { type Column, columnsOf, type Signature, sampleShapes } from "../training/source.ts";
import { maskedOutputs } from "./masked-outputs.ts";
import { Sessions } from "./sessions.ts";

/** Plans of other sizes than the declared ones that are kept: one for each length of sequences in use. */
const mostPlans = 32;

/** How data of these columns comes in. */
const formatsOf = (columns: Readonly<Record<string, Column>>): Formats => ({
  inputs: new Map([...columnsOf(columns, "x")].map(([name, { dtype, scale = 1 }]) => [name, { dtype, scale }])),
  weights: new Map([...columnsOf(columns, "weight")].map(([name, { shape }]) => [name, shape])),
});

/** The first stateful layer, and the samples of its batches. */
function statefulOf({ calls }: Network): { readonly name: string; readonly batch: number } | undefined {
  const call = calls.find(({ layer }) => layer.config["stateful"] === true);
  const batch = call?.layer.config["batchSize"];
  return call !== undefined && typeof batch === "number" ? { name: call.name, batch } : undefined;
}

/** Writes programs and keeps their sessions. */
export class Programs {
  readonly #network: Network;
  readonly #plan: Plan;
  readonly #plans = new Map<string, Plan>();
  readonly #sessions = new Sessions();
  readonly #stateful: ReturnType<typeof statefulOf>;
  /** Of inputs that an embedding looks up: they count from 0 up to but without this. */
  readonly vocabularies: ReadonlyMap<string, number>;

  constructor(network: Network, plan: Plan) {
    this.#network = network;
    this.#plan = plan;
    this.vocabularies = vocabulariesOf(network);
    this.#stateful = statefulOf(network);
  }

  /** The plan for samples of these sizes. @throws SpecError when they do not fit */
  planFor(shapes: readonly SampleShape[]): Plan {
    const key = JSON.stringify(shapes);
    if (key === JSON.stringify(this.#plan.inputs.map(({ shape }) => shape))) return this.#plan;
    const found = this.#plans.get(key) ?? planModel(this.#network, shapes);
    this.#plans.delete(key);
    this.#plans.set(key, found);
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > mostPlans && oldest !== undefined) this.#plans.delete(oldest);
    return found;
  }

  /** Samples of every batch, where a layer remembers each of them from run to run. */
  get statefulBatch(): number | undefined {
    return this.#stateful?.batch;
  }

  /** @throws DataError when a layer remembers another number of samples */
  checkBatch(count: number): void {
    if (this.#stateful === undefined || count === this.#stateful.batch || count === 0) return;
    const { name, batch } = this.#stateful;
    throw new DataError(
      `${name}: expected batches of ${batch} samples, as its batchSize says: it is stateful and remembers each; received ${count}. Give fit, evaluate and predict batchSize ${batch} (or leave it out) and a multiple of ${batch} samples`,
    );
  }

  /** What data must look like for an objective. */
  signature(objective: Objective): Signature {
    const targets = new Map<string, ReturnType<Signature["targets"]>>();
    const masked = new Map<string, ReadonlySet<string>>();
    return {
      inputs: this.#plan.inputs,
      vocabularies: this.vocabularies,
      masked: (shapes) => {
        const key = JSON.stringify(shapes);
        const found = masked.get(key) ?? maskedOutputs(this.planFor(shapes));
        masked.set(key, found);
        return found;
      },
      targets: (shapes) => {
        const key = JSON.stringify(shapes);
        const found = targets.get(key) ?? targetsOf(objective, this.planFor(shapes).outputs);
        targets.set(key, found);
        return found;
      },
    };
  }

  /** The training session for batches such as this run's. */
  trainer(
    { batch, columns }: Run,
    { objective, spec }: MadeObjective,
    { threads, recompute }: { readonly threads: number | undefined; readonly recompute: readonly string[] },
  ): Promise<Trainer> {
    this.checkBatch(batch);
    const key = `training ${batch} ${JSON.stringify([columns, spec, recompute])}`;
    const plan = this.planFor(sampleShapes({ columns }, this.#plan.inputs));
    return this.#sessions.get(key, threads, () =>
      trainingProgram(plan, objective, batch, formatsOf(columns), recompute),
    );
  }

  /** The session that scores samples of these columns. */
  async evaluator(
    columns: Readonly<Record<string, Column>>,
    { objective, spec }: MadeObjective,
    threads: number | undefined,
  ) {
    const key = `evaluation ${JSON.stringify([columns, spec.loss, spec.metrics, spec.lossWeights])}`;
    const plan = this.planFor(sampleShapes({ columns }, this.#plan.inputs));
    const { session } = await this.#sessions.get(key, threads, () => ({
      model: evaluationProgram(plan, objective, formatsOf(columns)),
    }));
    return session;
  }

  /** The session that answers; `generation` says which weights are in it. */
  async predictor(generation: number, threads: number | undefined, write: () => OnnxModel) {
    if (generation > 0) await this.#sessions.drop(`inference ${generation - 1} `);
    const { session } = await this.#sessions.get(`inference ${generation}`, threads, () => ({ model: write() }));
    return session;
  }

  /** Releases all sessions. */
  async close(): Promise<void> {
    await this.#sessions.close();
  }
}
