/** @file What main and a replica say to each other: the start message, then lists of messages both ways. Typed arrays travel as they are. */
import type { ErrorCode, ImageClassification } from "@gristmill/contract";
import type { BatchSettings } from "@gristmill/engine";
import type { Tensor } from "@gristmill/onnx";

/** The first message: what to load, and how to serve it. */
export interface ReplicaStart {
  /** What errors call the model: "mnist@3". */
  readonly model: string;
  readonly artifactPath: string;
  readonly threads: number;
  readonly batching: BatchSettings;
  readonly task: ImageClassification | null;
}

/** Work, in main's words; the replica answers with the same id. */
export type ReplicaCall =
  | {
      readonly type: "infer";
      readonly inputs: Readonly<Record<string, Tensor>>;
      readonly outputs?: readonly string[];
    }
  | { readonly type: "classify"; readonly image: Uint8Array };

/** Everything that main says after the first message. */
export type MainMessage =
  | { readonly type: "call"; readonly id: number; readonly call: ReplicaCall }
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "ping" };

/** A failure with a code of the contract's table; replicas don't load the contract itself (its schema library). */
export interface ReplicaFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The result of a call. */
export interface ReplicaAnswer {
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
  | { readonly type: "ready"; readonly health: ReplicaHealth }
  | { readonly type: "refused"; readonly failure: ReplicaFailure }
  | { readonly type: "answer"; readonly id: number; readonly answer: ReplicaAnswer }
  | { readonly type: "failure"; readonly id: number; readonly failure: ReplicaFailure }
  | { readonly type: "pong"; readonly health: ReplicaHealth };
