/** @file A model whose layers follow one another. */
import { type Model, type Tensor, tensor } from "@gristmill/onnx";
import { evaluationProgram } from "../compile/evaluation-program.ts";
import { inferenceProgram } from "../compile/inference-program.ts";
import type { InputFormat } from "../compile/input-format.ts";
import { type Plan, planModel } from "../compile/plan.ts";
import { trainingProgram } from "../compile/training-program.ts";
import { DataError, NnError } from "../errors.ts";
import type { Layer } from "../layers/layer.ts";
import { shuffledOrder } from "../random/shuffle.ts";
import { type CompileOptions, type CompileSpec, type MadeObjective, parseObjective } from "../spec/compile-spec.ts";
import { type ModelSpec, parseModel, specOf } from "../spec/model-spec.ts";
import { evaluateSource, numbersOf } from "../training/evaluate.ts";
import { type BatchStream, openStream, sourceFeed, streamFeed } from "../training/feed.ts";
import { type TrainingState, trainLoop } from "../training/fit.ts";
import type { History, Scores } from "../training/history.ts";
import { arraySource, part, sampleSource } from "../training/samples.ts";
import { checkSource, elementsOf, formatOf, type Samples, type Source } from "../training/source.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { type EvaluateOptions, type FitOptions, type PredictOptions, readFitOptions, wholeNumber } from "./options.ts";
import { Sessions } from "./sessions.ts";
import { summarize } from "./summary.ts";
import { arrayOf, initialSlots, initialWeights, keptWeights, type NamedWeight, shownWeights } from "./weights.ts";

/** Settings of a model beside its layers. */
export interface SequentialOptions {
  /** Sizes of one sample; else the first layer says them. */
  readonly inputShape?: readonly number[];
  /** A whole number from 0 (0 when left out): first weights, order of samples and dropout follow from it alone. */
  readonly seed?: number;
}

const isSource = (data: unknown): data is Source =>
  typeof data === "object" && data !== null && "batch" in data && typeof data.batch === "function";

const isStream = (data: unknown): data is BatchStream =>
  typeof data === "function" || (typeof data === "object" && data !== null && Symbol.asyncIterator in data);

/**
 * Layers that follow one another, trained and run by ONNX Runtime.
 *
 * - Modes: `fit` trains (dropout drops); `evaluate`, `predict` and exported models do not drop.
 * - Randomness: none but the seed. The same seed, data and options give the same weights, bit for bit, on one machine and
 *   number of threads, whether the training was saved, loaded and continued between epochs or not.
 * - Resources: sessions are opened at need; `close` releases them. A closed model opens them again.
 */
export class Sequential {
  readonly seed: number;
  readonly #layers: readonly Layer[];
  readonly #plan: Plan;
  readonly #sessions = new Sessions();
  readonly #state: TrainingState;
  #made: MadeObjective | undefined;
  #isTraining = false;
  /** Grows whenever weights may have changed, so that no session with old ones is used. */
  #generation = 0;

  /** @throws SpecError when shapes do not fit. */
  constructor(layers: readonly Layer[], options: SequentialOptions = {}) {
    this.seed = wholeNumber(options.seed ?? 0, "seed", 0);
    this.#layers = [...layers];
    this.#plan = planModel(layers, options.inputShape);
    this.#state = { arrays: initialWeights(this.#plan, this.seed), step: 0, epoch: 0 };
  }

  /** A model from its description. @throws SpecError listing every problem. */
  static fromSpec(spec: unknown, options: { readonly seed?: number } = {}): Sequential {
    const { layers, plan } = parseModel(spec);
    return new Sequential(layers, { ...options, inputShape: plan.inputShape });
  }

  /** A model that was saved, as it was: weights, optimizer, seed and progress. @throws CheckpointError */
  static load(bytes: Uint8Array): Sequential {
    const { model, made, seed, epoch, step, state } = decodeCheckpoint(bytes);
    // weights come from the file, so none are drawn: the seed's are replaced before anyone sees them
    const loaded = new Sequential(model.layers, { inputShape: model.plan.inputShape, seed });
    loaded.#made = made;
    loaded.#state.arrays = state;
    loaded.#state.epoch = epoch;
    loaded.#state.step = step;
    return loaded;
  }

  /** Sizes of one sample. */
  get inputShape(): readonly number[] {
    return this.#plan.inputShape;
  }
  /** Sizes of one answer. */
  get outputShape(): readonly number[] {
    return this.#plan.outputShape;
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
    return this.#plan.weights.reduce((sum, { parameter }) => sum + elementsOf(parameter.shape), 0);
  }
  /** What the model was compiled for. */
  get compileSpec(): CompileSpec | undefined {
    return this.#made?.spec;
  }

  /** Says what to train for. The optimizer forgets what it remembered. @throws SpecError */
  compile(options: CompileOptions): void {
    this.#assertIdle("compile");
    const made = parseObjective(options, this.#plan.outputShape);
    const weights = this.#plan.weights.map(({ id }) => [id, arrayOf(this.#state.arrays, id)] as const);
    this.#state.arrays = new Map([...weights, ...initialSlots(this.#plan, made.objective.optimizer.slots)]);
    this.#state.step = 0;
    this.#made = made;
    this.#generation++;
  }

  /** Trains on arrays. @throws DataError, NonFiniteLossError, NnError; `signal.reason` when aborted. */
  fit(x: Samples, y: Samples, options?: FitOptions): Promise<History>;
  /** Trains on samples with random access, or on batches that come one by one (their own sizes count, not `batchSize`). */
  fit(data: Source | BatchStream, options?: FitOptions): Promise<History>;
  async fit(
    data: Samples | Source | BatchStream,
    yOrOptions?: Samples | FitOptions,
    arrayOptions?: FitOptions,
  ): Promise<History> {
    const { objective } = this.#compiled("fit");
    this.#assertIdle("fit");
    const target = objective.loss.target(this.#plan.outputShape);
    const isFed = isSource(data) || isStream(data);
    const options = readFitOptions((isFed ? yOrOptions : arrayOptions) as FitOptions | undefined);
    const all = isFed ? data : arraySource(data as Samples, yOrOptions as Samples, target);
    const { train, validation } = this.#split(all, options, target);
    const seed = options.seed ?? this.seed;
    const opened = new Set<unknown>();
    this.#isTraining = true;
    try {
      return await trainLoop(
        {
          state: this.#state,
          optimizer: objective.optimizer,
          target,
          metrics: [...objective.metrics.keys()],
          seed,
          inputShape: this.#plan.inputShape,
          trainer: (batch, format) => this.#trainer(batch, format, options.threads),
          open: (epoch) => {
            this.#generation++;
            if (!isSource(train)) return streamFeed(openStream(train, epoch, opened), this.#plan.inputShape, target);
            const order = options.shuffle
              ? shuffledOrder(train.length, seed, epoch)
              : Uint32Array.from({ length: train.length }, (_, i) => i);
            return sourceFeed(train, order, options.batchSize, target);
          },
          validate: () => validation && this.#evaluate(validation, options),
        },
        options,
      );
    } finally {
      this.#isTraining = false;
      this.#generation++;
    }
  }

  /** Loss and metrics on arrays. @throws DataError, NnError; `signal.reason` when aborted. */
  evaluate(x: Samples, y: Samples, options?: EvaluateOptions): Promise<Scores>;
  /** Loss and metrics on samples with random access. */
  evaluate(source: Source, options?: EvaluateOptions): Promise<Scores>;
  async evaluate(
    data: Samples | Source,
    yOrOptions?: Samples | EvaluateOptions,
    arrayOptions?: EvaluateOptions,
  ): Promise<Scores> {
    const { objective } = this.#compiled("evaluate");
    const target = objective.loss.target(this.#plan.outputShape);
    const source = isSource(data) ? data : arraySource(data, yOrOptions as Samples, target);
    return this.#evaluate(source, (isSource(data) ? (yOrOptions as EvaluateOptions | undefined) : arrayOptions) ?? {});
  }

  /** The model's answers, float32 [count, ...]. @throws DataError; `signal.reason` when aborted. */
  async predict(x: Samples, options: PredictOptions = {}): Promise<Tensor<"float32">> {
    const source = sampleSource(x);
    const { inputShape, outputShape } = this.#plan;
    if (source.x.shape.join() !== inputShape.join())
      throw new DataError(
        `x: expected [count, ${inputShape.join(", ")}], received [${[source.length, ...source.x.shape].join(", ")}]`,
      );
    const batchSize = wholeNumber(options.batchSize ?? 128, "batchSize", 1);
    const key = `inference ${this.#generation}`;
    if (this.#generation > 0) await this.#sessions.drop(`inference ${this.#generation - 1} `);
    const { session } = await this.#sessions.get(key, options.threads, () => ({ model: this.toOnnx() }));
    const [inputSize, outputSize] = [elementsOf(inputShape), elementsOf(outputShape)];
    const answers = new Float32Array(source.length * outputSize);
    for (let at = 0; at < source.length; at += batchSize) {
      options.signal?.throwIfAborted();
      const count = Math.min(batchSize, source.length - at);
      const fed = source.x.dtype === "uint8" ? new Uint8Array(count * inputSize) : new Float32Array(count * inputSize);
      source.copy(
        Uint32Array.from({ length: count }, (_, i) => at + i),
        fed,
      );
      const { scale } = source.x;
      // float32 arithmetic throughout, as in training
      const factor = Math.fround(scale);
      const input =
        fed instanceof Float32Array && scale === 1 ? fed : Float32Array.from(fed, (value) => value * factor);
      const { outputs } = await session.run({ input: tensor("float32", [count, ...inputShape], input) });
      answers.set(numbersOf(outputs["output"]), at * outputSize);
    }
    return tensor("float32", [source.length, ...outputShape], answers);
  }

  /** The model as ONNX: input `input` and output `output`, float32 [batch, ...] as outside, weights inside, no dropout. */
  toOnnx(): Model {
    return inferenceProgram(this.#plan, (id) => arrayOf(this.#state.arrays, id));
  }

  /** The model's description as JSON, every setting written out. */
  toSpec(): ModelSpec {
    return specOf(this.#layers, this.#plan.inputShape);
  }

  /** The model as one file: description, weights, optimizer, seed, progress, checksum. */
  save(): Uint8Array<ArrayBuffer> {
    const { arrays, epoch, step } = this.#state;
    const slots = this.#made?.objective.optimizer.slots ?? [];
    const checkpoint = { spec: this.toSpec(), compile: this.#made?.spec, seed: this.seed, epoch, step, state: arrays };
    return encodeCheckpoint(checkpoint, this.#plan, slots);
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

  /** A table of layers, shapes and numbers of weights. */
  summary(): string {
    return summarize(this.#plan);
  }

  /** Releases all sessions. */
  async close(): Promise<void> {
    await this.#sessions.close();
  }

  async #evaluate(source: Source, options: EvaluateOptions): Promise<Scores> {
    const { objective, spec } = this.#compiled("evaluate");
    checkSource(source, this.#plan.inputShape);
    const batchSize = wholeNumber(options.batchSize ?? 128, "batchSize", 1);
    const format = formatOf(source);
    const key = `evaluation ${format.dtype} ${format.scale} ${JSON.stringify([spec.loss, spec.metrics])}`;
    const { session } = await this.#sessions.get(key, options.threads, () => ({
      model: evaluationProgram(this.#plan, objective, format),
    }));
    const target = objective.loss.target(this.#plan.outputShape);
    const metrics = [...objective.metrics.keys()];
    return evaluateSource({ session, target, metrics, state: this.#state.arrays }, source, {
      batchSize,
      signal: options.signal,
    });
  }

  #trainer(batch: number, format: InputFormat, threads: number | undefined) {
    const { objective, spec } = this.#compiled("fit");
    const key = `training ${batch} ${format.dtype} ${format.scale} ${JSON.stringify(spec)}`;
    return this.#sessions.get(key, threads, () => trainingProgram(this.#plan, objective, batch, format));
  }

  /** Training and validation data. Keras' rule: the last samples validate, before any shuffling. */
  #split(
    data: Source | BatchStream,
    options: ReturnType<typeof readFitOptions>,
    target: ReturnType<MadeObjective["objective"]["loss"]["target"]>,
  ): { train: Source | BatchStream; validation: Source | undefined } {
    const { validationData, validationSplit } = options;
    const given =
      validationData === undefined || isSource(validationData)
        ? validationData
        : arraySource(validationData.x, validationData.y, target);
    if (given !== undefined) checkSource(given, this.#plan.inputShape);
    if (!isSource(data)) {
      if (validationSplit > 0)
        throw new NnError("fit: expected validationData with a stream of batches, received validationSplit");
      return { train: data, validation: given };
    }
    checkSource(data, this.#plan.inputShape);
    if (given !== undefined && validationSplit > 0)
      throw new NnError("fit: expected validationData or validationSplit, received both");
    const trained = Math.floor(data.length * (1 - validationSplit));
    if (trained < 1) throw new DataError(`x: expected at least one sample to train on, received ${data.length}`);
    if (validationSplit === 0) return { train: data, validation: given };
    if (trained === data.length)
      throw new DataError(`validationSplit: ${validationSplit} of ${data.length} samples leaves none to validate on`);
    return { train: part(data, 0, trained), validation: part(data, trained, data.length) };
  }

  #compiled(method: string): MadeObjective {
    if (this.#made === undefined) throw new NnError(`${method}: the model has no loss yet; call compile first`);
    return this.#made;
  }

  #assertIdle(method: string): void {
    if (this.#isTraining) throw new NnError(`${method}: the model is training; wait for fit to end, or abort it`);
  }
}
