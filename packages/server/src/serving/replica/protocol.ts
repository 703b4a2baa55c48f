/** @file What main and a replica say to each other: the start message, then lists of messages both ways. Typed arrays travel as they are. */
import type { ErrorCode, ImageClassification } from "@gristmill/contract";
import type {
  BatchSettings,
  ChatRequest,
  CompletionRequest,
  EmbedResult,
  GenerationEvent,
  LanguageCard,
  LanguageEngineOptions,
  Prompt,
  RerankRequest,
  RerankResult,
} from "@gristmill/engine";
import type { Tensor } from "@gristmill/onnx";

/** How a model is served, by the engine that it needs. */
export type ReplicaSettings =
  | { readonly engine: "onnx"; readonly batching: BatchSettings; readonly task: ImageClassification | null }
  | {
      readonly engine: "llama" | "onnx-language";
      readonly generation: Pick<LanguageEngineOptions, "contextLength" | "slots" | "maxQueue" | "prefillChunk">;
    };

/** The first message: what to load, and how to serve it. */
export interface ReplicaStart {
  /** What errors call the model: "mnist@3". */
  readonly model: string;
  readonly artifactPath: string;
  readonly threads: number;
  readonly settings: ReplicaSettings;
  /** A folder of its own while it loads; it may write nowhere else. */
  readonly scratchFolder?: string;
}

/** Work with one answer, in main's words; the replica answers with the same id. */
export type ReplicaCall =
  | {
      readonly type: "infer";
      readonly inputs: Readonly<Record<string, Tensor>>;
      readonly outputs?: readonly string[];
    }
  | { readonly type: "classify"; readonly image: Uint8Array }
  | { readonly type: "embed"; readonly inputs: readonly Prompt[] }
  | { readonly type: "rerank"; readonly request: RerankRequest }
  | { readonly type: "countTokens"; readonly of: ChatRequest | { readonly prompt: Prompt } };

/** The answer to each kind of work. */
interface Answers {
  readonly infer: TensorAnswer;
  readonly classify: TensorAnswer;
  readonly embed: EmbedResult;
  readonly rerank: RerankResult;
  readonly countTokens: { readonly tokens: number };
}

/** The answer to a call. */
export type AnswerTo<C extends ReplicaCall> = Answers[C["type"]];
/** The answer to any call. */
export type ReplicaAnswer = Answers[keyof Answers];

/** Work whose answer comes in pieces. */
export type GenerateCall =
  | { readonly kind: "chat"; readonly request: ChatRequest }
  | { readonly kind: "complete"; readonly request: CompletionRequest };

/**
 * Events that a replica sends ahead of a generation's reader. A slow reader thus keeps a bounded number in main; the
 * replica waits for `more`.
 */
export const eventWindow = 64;

/** Everything that main says after the first message. */
export type MainMessage =
  | { readonly type: "call"; readonly id: number; readonly call: ReplicaCall }
  | { readonly type: "generate"; readonly id: number; readonly call: GenerateCall }
  /** So many events of a generation were read. */
  | { readonly type: "more"; readonly id: number; readonly events: number }
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "ping" };

/** A failure with a code of the contract's table; replicas don't load the contract itself (its schema library). */
export interface ReplicaFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Outputs of a graph. */
export interface TensorAnswer {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly queueMs: number;
  readonly computeMs: number;
  readonly batchSize: number;
}

/** How a replica is. */
export interface ReplicaHealth {
  readonly queueDepth: number;
  /** Resident set. */
  readonly memoryBytes: number;
}

/** Everything that a replica says. */
export type ReplicaMessage =
  | { readonly type: "ready"; readonly health: ReplicaHealth; readonly card: LanguageCard | null }
  | { readonly type: "refused"; readonly failure: ReplicaFailure }
  | { readonly type: "answer"; readonly id: number; readonly answer: ReplicaAnswer }
  | { readonly type: "event"; readonly id: number; readonly event: GenerationEvent }
  /** Of a generation: all its events were sent. */
  | { readonly type: "end"; readonly id: number }
  | { readonly type: "failure"; readonly id: number; readonly failure: ReplicaFailure }
  | { readonly type: "pong"; readonly health: ReplicaHealth };
