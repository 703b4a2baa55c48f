/** @file What services may do with deployments. */
import type { ImageClassification, ProjectId, TensorSignature } from "@gristmill/contract";
import type { Tensor } from "@gristmill/onnx";

/** Which outputs are wanted of which inputs. */
export interface InferCall {
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** All when not said. */
  readonly outputs?: readonly string[];
}

/** How a call waits, and which revision it insists on. */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** Only the active revision runs; another one is `deployment.revision_not_found`. */
  readonly revision?: number;
}

/** Who answered, as dimensions of usage events. */
export type Served = {
  /** The deployment's name. */
  readonly deployment: string;
  readonly model: string;
  readonly model_version: string;
};

/** Where the time of one call went. */
export interface CallTimings {
  /** In the replica's queue, waiting for its turn and for company. */
  readonly queueMs: number;
  /** In the engine, with its whole batch. */
  readonly computeMs: number;
  /** Rows that ran together. */
  readonly batchSize: number;
}

/** What every answer says about who made it. */
export interface Answered {
  readonly served: Served;
  readonly revision: number;
  readonly modelVersion: number;
  readonly timings: CallTimings;
}

/** Outputs by name. */
export interface InferResult extends Answered {
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Scores in the order of the classes. */
export interface ClassifyResult extends Answered {
  readonly scores: Float32Array;
  readonly classNames: readonly string[];
}

/** A deployment as its callers see it. */
export interface DescribedDeployment {
  readonly name: string;
  readonly isReady: boolean;
  /** The revision that answers; of a deployment that never was ready, the one that starts. */
  readonly revision: number;
  readonly model: string;
  readonly modelVersion: number;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  readonly task: ImageClassification | null;
}

/** Calls to deployments of a project, by name. */
export interface Deployments {
  /**
   * Runs a model on tensors.
   * @throws AppError `deployment.not_found`, `deployment.revision_not_found`, `deployment.not_ready`,
   * `engine.input_invalid`, `engine.queue_full`, `engine.replica_died`, `engine.failed`, `request.cancelled`.
   */
  infer(projectId: ProjectId, name: string, call: InferCall, options: CallOptions): Promise<InferResult>;
  /**
   * Decodes an image of a file's bytes, fits it to the model, and scores its classes.
   * @throws AppError as `infer`, and `image.unreadable`, `image.too_large`, `engine.input_invalid` when the model is
   * no image classifier.
   */
  classify(projectId: ProjectId, name: string, image: Uint8Array, options: CallOptions): Promise<ClassifyResult>;
  /** @throws AppError `deployment.not_found`, `deployment.revision_not_found`. */
  describe(projectId: ProjectId, name: string, revision?: number): Promise<DescribedDeployment>;
}
