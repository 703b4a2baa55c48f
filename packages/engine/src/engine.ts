/** @file What every engine is: it loads one artifact, says what it takes and gives, and runs. */
import type { Dtype, Shape, Tensor } from "@gristmill/onnx";

/** An input or output: element type and sizes; a name stands for a size that varies. */
export interface TensorPort {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
}

/** What a model takes and gives. */
export interface Signature {
  readonly inputs: readonly TensorPort[];
  readonly outputs: readonly TensorPort[];
}

/** How an artifact is loaded. */
export interface EngineOptions {
  /** Threads of one run. */
  readonly threads: number;
  /** What errors call the model. */
  readonly name: string;
  readonly signal?: AbortSignal;
}

/** What one run shall do. */
export interface InferOptions {
  /** Outputs to compute; all when not said. */
  readonly outputs?: readonly string[];
  /** Works until the run starts: an engine may block its process while it runs. */
  readonly signal?: AbortSignal;
}

/** Outputs by name, and the time in the engine. */
export interface InferResult {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly computeMs: number;
}

/** Counts since the artifact was loaded. */
export interface EngineStats {
  readonly loadMs: number;
  readonly runs: number;
  readonly totalRunMs: number;
}

/** A loaded model. testing/describe-engine.ts is the contract that every engine passes. */
export interface Engine {
  readonly signature: Signature;
  /**
   * Runs the model once. Calls run in the order in which they came.
   * @throws EngineInputError naming the tensor, what was expected and what was received; EngineRunError with the
   * engine's own message; EngineClosedError; `signal.reason`.
   */
  infer(inputs: Readonly<Record<string, Tensor>>, options?: InferOptions): Promise<InferResult>;
  stats(): EngineStats;
  /** Waits for the run under way. Closing twice is fine. */
  close(): Promise<void>;
}

/** Loads an artifact. @throws EngineRunError when the engine refuses it; `signal.reason`. */
export type LoadEngine = (artifactPath: string, options: EngineOptions) => Promise<Engine>;
