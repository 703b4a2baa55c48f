/** @file What services may do with deployments. */
import type { ImageClassification, LanguageModel, ModelFormat, ProjectId, TensorSignature } from "@gristmill/contract";
import type {
  ChatRequest,
  CompletionRequest,
  EmbedResult,
  GenerationEvent,
  LanguageCard,
  Prompt,
  RerankRequest,
  RerankResult,
} from "@gristmill/engine";
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
export interface AnsweredBy {
  readonly served: Served;
  readonly revision: number;
  readonly modelVersion: number;
}

/** An answer that came at once. */
export interface Answered extends AnsweredBy {
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

/** What a language model is to write. */
export type GenerateCall =
  | { readonly kind: "chat"; readonly request: ChatRequest }
  | { readonly kind: "complete"; readonly request: CompletionRequest };

/** An answer that is being written. */
export interface Generation extends AnsweredBy {
  /**
   * `started` first, `finished` last; may be read once. Who ends the reading ends the generation, and so does the call's
   * signal, whose reason is thrown then. It has to be read or ended: its slot is taken until then.
   * @throws AppError `engine.replica_died` when the process ended in the middle, `engine.failed`; `signal.reason`.
   */
  readonly events: AsyncIterable<GenerationEvent>;
}

/** Vectors of texts. */
export interface Embedding extends AnsweredBy, EmbedResult {}

/** Scores of documents. */
export interface Ranking extends AnsweredBy, RerankResult {}

/** Tokens of a prompt. */
export interface TokenCount extends AnsweredBy {
  readonly tokens: number;
}

/** Whose prompt is to be counted: a chat by the model's template, or a text. */
export type CountCall = ChatRequest | { readonly prompt: Prompt };

/** A deployment as its callers see it. */
export interface DescribedDeployment {
  readonly name: string;
  readonly isReady: boolean;
  readonly createdAt: Date;
  /** The revision that answers; of a deployment that never was ready, the one that starts. */
  readonly revision: number;
  readonly model: string;
  readonly modelVersion: number;
  readonly format: ModelFormat | "upstream";
  /** Empty for language models. */
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  readonly task: ImageClassification | null;
  readonly language: {
    /** What the model's file says; null: an upstream has it. */
    readonly file: LanguageModel | null;
    /** Tokens of prompt and answer together, of one request. */
    readonly contextLength: number;
    /** What the engine made of it, with its abilities. null: no replica was ready, or no upstream reached, yet. */
    readonly card: LanguageCard | null;
  } | null;
}

/** Calls to deployments of a project, by name. */
export interface Deployments extends LanguageDeployments {
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
  /** Every deployment of a project that may be called, also those that are not ready yet. */
  describeAll(projectId: ProjectId): Promise<readonly DescribedDeployment[]>;
}

/**
 * Calls to language models. A model that can't do what is asked (no chat template, an ONNX graph) is
 * `engine.request_invalid`.
 */
export interface LanguageDeployments {
  /**
   * Begins an answer. Resolves with its first event, so that what is wrong with a request is told before anything was
   * sent. A replica that dies before the first piece is replaced by another, once, and nobody notices.
   * @throws AppError `deployment.not_found`, `deployment.revision_not_found`, `deployment.not_ready`,
   * `engine.request_invalid` (its detail `param` is the field of the request), `engine.context_length_exceeded`,
   * `engine.queue_full`, `engine.replica_died`, `engine.failed`; `signal.reason`.
   */
  generate(projectId: ProjectId, name: string, call: GenerateCall, options: CallOptions): Promise<Generation>;
  /** @throws as `generate`. */
  embed(projectId: ProjectId, name: string, inputs: readonly Prompt[], options: CallOptions): Promise<Embedding>;
  /** @throws as `generate`. */
  rerank(projectId: ProjectId, name: string, request: RerankRequest, options: CallOptions): Promise<Ranking>;
  /** @throws as `generate`. */
  countTokens(projectId: ProjectId, name: string, call: CountCall, options: CallOptions): Promise<TokenCount>;
}
