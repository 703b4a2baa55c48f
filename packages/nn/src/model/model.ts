/** @file A model: a network of layers with its weights, trained and run by ONNX Runtime. */
import type { Model as OnnxModel, Tensor } from "@gristmill/onnx";
import { inferenceProgram } from "../compile/inference-program.ts";
import { metricsOf } from "../compile/objective.ts";
import { type Plan, planModel, stateOf } from "../compile/plan.ts";
import { NnError } from "../errors.ts";
import type { Layer } from "../layers/layer.ts";
import type { SampleShape } from "../layers/shape.ts";
import { type Network, traceNetwork } from "../network/network.ts";
import type { SymbolicTensor } from "../network/symbolic.ts";
import { averageSlot } from "../optimizers/transforms/average.ts";
import { type CompileOptions, type CompileSpec, type MadeObjective, parseObjective } from "../spec/compile-spec.ts";
import { type ModelSpec, type PlannedModel, parseModel, specOf } from "../spec/model-spec.ts";
import "../spec/sub-model.ts";
import { checkTokens } from "../training/check-batch.ts";
import { emptyMemory } from "../training/control.ts";
import { Epochs } from "../training/epochs.ts";
import { evaluateFeed } from "../training/evaluate.ts";
import type { BatchStream, Feed } from "../training/feed.ts";
import { trainLoop } from "../training/fit.ts";
import type { History, Scores } from "../training/history.ts";
import { elementsOf, type NamedSamples, type Source, type Table } from "../training/source.ts";
import type { TrainingState } from "../training/state.ts";
import { decodeCheckpoint, encodeCheckpoint, type LoadedCheckpoint } from "./checkpoint.ts";
import { about, callOf, scored, split, weigherOf } from "./data.ts";
import {
  type EvaluateOptions,
  type FitOptions,
  type PredictOptions,
  readFitOptions,
  readPredictOptions,
  wholeNumber,
} from "./options.ts";
import { predictTables, type QuestionBatch, type Questions, questionTables } from "./predict.ts";
import { Programs } from "./programs.ts";
import { type LayerSummary, summarize, summaryOf } from "./summary.ts";
import {
  arrayOf,
  initialSlots,
  initialWeights,
  keptWeights,
  type NamedWeight,
  shownWeights,
  someWeights,
} from "./weights.ts";

/** Settings of a model beside its layers. */
export interface ModelOptions {
  /** A whole number from 0 (0 when left out): first weights, order of samples and dropout follow from it alone. */
  readonly seed?: number;
}

/** Inputs and outputs of a model that was written with `input` and `apply`. */
export interface ModelEnds {
  readonly inputs: SymbolicTensor | readonly SymbolicTensor[];
  readonly outputs: SymbolicTensor | readonly SymbolicTensor[];
}

const listOf = (tensors: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[] =>
  "shape" in tensors ? [tensors] : tensors;

const plannedEnds = ({ inputs, outputs }: ModelEnds): PlannedModel => {
  const network = traceNetwork(listOf(inputs), listOf(outputs));
  return { network, plan: planModel(network), layers: undefined };
};

/**
 * A network of layers, trained and run by ONNX Runtime.
 *
 * - Modes: `fit` trains (dropout drops); `evaluate`, `predict` and exported models do not drop.
 * - Randomness: none but the seed. The same seed, data and options give the same weights, bit for bit, on one machine and
 *   number of threads, whether the training was saved, loaded and continued between epochs or not.
 * - Resources: sessions are opened at need; `close` releases them. A closed model opens them again.
 */
export class Model {
  readonly seed: number;
  readonly #network: Network;
  readonly #layers: readonly Layer[] | undefined;
  readonly #plan: Plan;
  readonly #programs: Programs;
  readonly #state: TrainingState;
  #made: MadeObjective | undefined;
  #isTraining = false;
  /** Grows whenever weights may have changed, so that no session with old ones is used. */
  #generation = 0;

  /** @throws NnError, SpecError when shapes do not fit. */
  constructor(model: ModelEnds | PlannedModel, options: ModelOptions = {}) {
    const { network, plan, layers } = "plan" in model ? model : plannedEnds(model);
    this.seed = wholeNumber(options.seed ?? 0, "seed", 0);
    this.#network = network;
    this.#layers = layers;
    this.#plan = plan;
    this.#programs = new Programs(network, plan);
    this.#state = { arrays: initialWeights(plan, this.seed), step: 0, epoch: 0, rateFactor: 1, memory: emptyMemory() };
  }

  /** A model from its description. @throws SpecError listing every problem. */
  static fromSpec(spec: unknown, options: ModelOptions = {}): Model {
    return new Model(parseModel(spec), options);
  }

  /** A model that was saved, as it was: weights, optimizer, seed and progress. @throws CheckpointError */
  static load(bytes: Uint8Array): Model {
    const saved = decodeCheckpoint(bytes);
    return new Model(saved.model, { seed: saved.seed }).restored(saved);
  }

  /** Takes over a saved model's state. */
  protected restored({ made, epoch, step, rateFactor, memory, state }: LoadedCheckpoint): this {
    this.#made = made;
    this.#state.arrays = state;
    this.#state.epoch = epoch;
    this.#state.step = step;
    this.#state.rateFactor = rateFactor;
    this.#state.memory = memory;
    return this;
  }

  /** What enters, by name, with the sizes of one sample. */
  get inputs(): Plan["inputs"] {
    return this.#plan.inputs;
  }
  /** What leaves, by name, with the sizes of one answer. */
  get outputs(): readonly { readonly name: string; readonly shape: SampleShape }[] {
    return this.#plan.outputs;
  }
  /** Sizes of one sample of the first input. */
  get inputShape(): SampleShape {
    return this.#plan.inputs[0]?.shape ?? [];
  }
  /** Sizes of one answer of the first output. */
  get outputShape(): SampleShape {
    return this.#plan.outputs[0]?.shape ?? [];
  }
  /** Epochs trained. */
  get epoch(): number {
    return this.#state.epoch;
  }
  /** Optimizer steps taken. */
  get step(): number {
    return this.#state.step;
  }
  /** Numbers that training changes. */
  get parameterCount(): number {
    return this.#plan.weights.reduce(
      (sum, { parameter, trainable }) => sum + (trainable ? elementsOf(parameter.shape) : 0),
      0,
    );
  }
  /** What the model was compiled for. */
  get compileSpec(): CompileSpec | undefined {
    return this.#made?.spec;
  }

  /** Says what to train for. The optimizer forgets what it remembered. @throws SpecError */
  compile(options: CompileOptions): void {
    this.#assertIdle("compile");
    const made = parseObjective(options, this.#plan.outputs);
    const weights = new Map(this.#plan.weights.map(({ id }) => [id, arrayOf(this.#state.arrays, id)] as const));
    this.#state.arrays = new Map([...weights, ...initialSlots(this.#plan, made.objective.optimizer, weights)]);
    this.#state.step = 0;
    this.#state.rateFactor = 1;
    this.#made = made;
    this.#generation++;
  }

  /** Trains on arrays. @throws DataError, NonFiniteLossError, NnError; `signal.reason` when aborted. */
  fit(x: NamedSamples, y: NamedSamples, options?: FitOptions): Promise<History>;
  /** Trains on samples with random access, or on batches that come one by one (their own sizes count, not `batchSize`). */
  fit(data: Source | Table | BatchStream, options?: FitOptions): Promise<History>;
  async fit(
    data: NamedSamples | Source | Table | BatchStream,
    yOrOptions?: NamedSamples | FitOptions,
    arrayOptions?: FitOptions,
  ): Promise<History> {
    const made = this.#compiled("fit");
    const { objective } = made;
    this.#assertIdle("fit");
    const signature = this.#programs.signature(objective);
    const { options: given, read } = callOf<FitOptions>("fit", [data, yOrOptions, arrayOptions]);
    const options = readFitOptions(given, this.#programs.statefulBatch);
    const { train, validation, first } = split(read(signature), options, signature);
    const seed = options.seed ?? this.seed;
    const weigh = weigherOf(given?.classWeight, signature);
    const epochs = new Epochs(train, signature, { ...options, seed, goesOn: true }, weigh);
    const { validationBatchSize: batchSize, validationSteps: steps } = options;
    const validationFeeds = validation && this.#unshuffled(validation, { batchSize, steps, first });
    const recompute = this.#recomputed(options.recompute);
    this.#isTraining = true;
    try {
      return await trainLoop(
        {
          state: this.#state,
          optimizer: objective.optimizer,
          metrics: metricsOf(objective),
          outputs: this.#plan.outputs.map(({ name }) => name),
          seed,
          weights: this.#plan.weights.map(({ id }) => id),
          save: () => this.save(),
          trainer: (run) => this.#programs.trainer(run, made, { threads: options.threads, recompute }),
          open: (epoch) => {
            this.#generation++;
            return epochs.open(epoch);
          },
          validate:
            validationFeeds && (() => about("validation", () => this.#evaluate(validationFeeds.open(0), options))),
        },
        options,
      );
    } finally {
      this.#isTraining = false;
      this.#generation++;
      await epochs.close();
    }
  }

  /** Loss and metrics on arrays. @throws DataError, NnError; `signal.reason` when aborted. */
  evaluate(x: NamedSamples, y: NamedSamples, options?: EvaluateOptions): Promise<Scores>;
  /** Loss and metrics on samples with random access, or on batches that come one by one. */
  evaluate(data: Source | Table | BatchStream, options?: EvaluateOptions): Promise<Scores>;
  async evaluate(
    data: NamedSamples | Source | Table | BatchStream,
    yOrOptions?: NamedSamples | EvaluateOptions,
    arrayOptions?: EvaluateOptions,
  ): Promise<Scores> {
    const signature = this.#programs.signature(this.#compiled("evaluate").objective);
    const { options: given, read } = callOf<EvaluateOptions>("evaluate", [data, yOrOptions, arrayOptions]);
    const options = readPredictOptions("evaluate", given, this.#programs.statefulBatch);
    return this.#evaluate(this.#unshuffled(scored(read(signature), signature), options).open(0), options);
  }

  /**
   * The answers of the model's only output, float32 [count, ...]; of a stream, those of all its batches (their `y` is not
   * looked at). @throws DataError; `signal.reason` when aborted.
   */
  async predict(x: Questions, options: PredictOptions = {}): Promise<Tensor<"float32">> {
    const [only, ...others] = this.#plan.outputs;
    const answers = await this.predictAll(x, options);
    const answer = only && answers[only.name];
    if (answer === undefined || others.length > 0)
      throw new NnError(`predict: the model has ${this.#plan.outputs.length} outputs; use predictAll`);
    return answer;
  }

  /** The answers of every output by name, float32 [count, ...]. @throws DataError; `signal.reason` when aborted. */
  async predictAll(x: Questions, options: PredictOptions = {}): Promise<Readonly<Record<string, Tensor<"float32">>>> {
    const programs = this.#programs;
    const { inputs } = this.#plan;
    const { threads, ...read } = readPredictOptions("predict", options, programs.statefulBatch);
    const tables = questionTables(x, inputs, () =>
      programs.signature(this.#compiled("predict from a source").objective),
    );
    const session = await programs.predictor(this.#generation, threads, () => this.#onnx(true));
    const check = ({ rows, columns, count, first }: QuestionBatch): void => {
      programs.checkBatch(count);
      checkTokens(rows, columns, { inputs, vocabularies: programs.vocabularies }, (row) => `[${first + row}]`);
    };
    return predictTables({ ...read, session, tables, check, state: this.#state.arrays });
  }

  /** The model as ONNX: inputs and outputs by name ("input" and "output" where there is one), [batch, ...] as outside, weights inside, no dropout. */
  toOnnx(): OnnxModel {
    return this.#onnx(false);
  }

  /** The model's description as JSON, every setting written out. */
  toSpec(): ModelSpec {
    return specOf(this.#network, this.#layers);
  }

  /** The model as one file: description, weights, optimizer, seed, progress, checksum. */
  save(): Uint8Array<ArrayBuffer> {
    const { arrays, epoch, step, rateFactor, memory } = this.#state;
    const compile = this.#made?.spec;
    return encodeCheckpoint(
      { spec: this.toSpec(), compile, seed: this.seed, epoch, step, rateFactor, memory, state: arrays },
      this.#plan,
      this.#made?.objective.optimizer,
    );
  }

  /** Copies of all weights, in Keras' order, shapes and layout. */
  getWeights(): NamedWeight[] {
    return shownWeights(this.#plan, this.#state.arrays);
  }

  /** Replaces all weights. What the optimizer remembers stays. @throws DataError */
  setWeights(weights: readonly NamedWeight[]): void {
    this.#assertIdle("setWeights");
    this.#state.arrays = new Map([...this.#state.arrays, ...keptWeights(this.#plan, weights)]);
    this.#generation++;
  }

  /**
   * Replaces some weights, such as those of a model that was trained alone and is now a layer (`prefix` "layer/" is put in
   * front of each name). The others stay. @throws DataError for names that the model does not have, and other shapes
   */
  loadWeights(weights: readonly NamedWeight[], { prefix = "" }: { readonly prefix?: string } = {}): void {
    this.#assertIdle("loadWeights");
    const named = weights.map(({ name, value }) => ({ name: `${prefix}${name}`, value }));
    this.#state.arrays = new Map([...this.#state.arrays, ...someWeights(this.#plan, named)]);
    this.#generation++;
  }

  /** Puts the moving average of each weight in its place, where the optimizer keeps one (`useEma`). @throws NnError when it keeps none */
  useAveragedWeights(): void {
    this.#assertIdle("useAveragedWeights");
    const state = stateOf(this.#plan, this.#compiled("useAveragedWeights").objective.optimizer);
    const averages = [...state].filter(([, { slot }]) => slot?.name.endsWith(averageSlot));
    if (averages.length === 0)
      throw new NnError("useAveragedWeights: the optimizer keeps no average; compile with one that has useEma true");
    for (const [id, { weight }] of averages)
      arrayOf(this.#state.arrays, weight.id).set(arrayOf(this.#state.arrays, id));
    this.#generation++;
  }

  /** Forgets what stateful layers remember from run to run. */
  resetStates(): void {
    this.#assertIdle("resetStates");
    for (const { id, parameter } of this.#plan.weights)
      if (parameter.role === "state") arrayOf(this.#state.arrays, id).fill(0);
  }

  /** A table of layers, shapes, numbers of weights and arithmetic. */
  summary(): string {
    return summarize(this.#plan);
  }

  /** What the summary's rows say, for programs: each layer once. */
  layers(): readonly LayerSummary[] {
    return summaryOf(this.#plan);
  }

  /** Releases all sessions. */
  async close(): Promise<void> {
    await this.#programs.close();
  }

  #onnx(stateful: boolean): OnnxModel {
    return inferenceProgram(this.#plan, (id) => arrayOf(this.#state.arrays, id), { stateful });
  }

  /** Samples with answers in their order, to look at rather than to train on. */
  #unshuffled(
    data: Table | BatchStream,
    { batchSize, steps, first = 0 }: { batchSize: number; steps: number | undefined; first?: number | undefined },
  ): Epochs {
    const signature = this.#programs.signature(this.#compiled("evaluate").objective);
    const all = { goesOn: false, shuffle: false, seed: 0 };
    return new Epochs(data, signature, { batchSize, stepsPerEpoch: steps, first, ...all });
  }

  async #evaluate(feed: Feed, { signal, threads }: Pick<EvaluateOptions, "signal" | "threads">): Promise<Scores> {
    const made = this.#compiled("evaluate");
    const evaluation = {
      session: (columns: Table["columns"], batch: number) => {
        this.#programs.checkBatch(batch);
        return this.#programs.evaluator(columns, made, threads);
      },
      metrics: metricsOf(made.objective),
      outputs: this.#plan.outputs.map(({ name }) => name),
      state: this.#state.arrays,
    };
    return evaluateFeed(evaluation, feed, signal);
  }

  /** Names of layers whose inside is computed twice. @throws NnError for names that no layer has */
  #recomputed(asked: boolean | readonly string[]): readonly string[] {
    const withWeights = new Set(this.#plan.weights.map(({ id }) => id.split("/")[0] ?? ""));
    if (typeof asked === "boolean") return asked ? [...withWeights] : [];
    const names = this.#plan.calls.map(({ name }) => name);
    const unknown = asked.find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new NnError(`recompute: expected names of layers (${names.join(", ")}), received "${unknown}"`);
    return asked;
  }

  #compiled(method: string): MadeObjective {
    if (this.#made === undefined) throw new NnError(`${method}: the model has no loss yet; call compile first`);
    return this.#made;
  }

  #assertIdle(method: string): void {
    if (this.#isTraining) throw new NnError(`${method}: the model is training; wait for fit to end, or abort it`);
  }
}
