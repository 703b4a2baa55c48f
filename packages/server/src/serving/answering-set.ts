/** @file What answers the calls of one revision: replicas, or upstreams. */
import type { Replica } from "@gristmill/contract";
import type { GenerationEvent, LanguageCard } from "@gristmill/engine";
import type { AnswerTo, GenerateCall, ReplicaCall } from "./replica/protocol.ts";
import type { DeploymentFailure } from "./store.ts";

/** A revision's answerers, from its start to its end. */
export interface AnsweringSet {
  /** How many answer now. */
  readonly readyCount: number;
  /** True once any answered. */
  readonly wasReady: boolean;
  /** Why none will come: nothing is tried any more. */
  readonly failure: DeploymentFailure | undefined;
  /** Why nothing answers: nobody pays for it. */
  readonly refusal: DeploymentFailure | undefined;
  /** What some of them suffer from at the moment, while they are tried again. */
  readonly trouble: DeploymentFailure | undefined;
  /** What the language model can do, once any was ready; null: it is none. */
  readonly card: LanguageCard | null | undefined;
  /** True when all answer that should. @param replicas of the deployment. */
  isComplete(replicas: number): boolean;
  /** Processes, as `/api` tells them. */
  toWire(): Replica[];
  /** Calls after every change; the returned function ends it. */
  onChange(listener: () => void): () => void;
  /** Starts or stops replicas until there are so many; 0 stops all. */
  scale(count: number): Promise<void>;
  /** Resolves when enough answer to take over. @throws AppError when it can't come to this; `signal.reason`. */
  whenReady(want: "all" | "first", signal: AbortSignal): Promise<void>;
  /** @throws AppError `engine.queue_full`, `deployment.not_ready`, and those of the call. */
  call<C extends ReplicaCall>(call: C, signal: AbortSignal): Promise<AnswerTo<C>>;
  /** Resolves with the first event. @throws as `call`. */
  generate(call: GenerateCall, signal: AbortSignal): Promise<AsyncIterable<GenerationEvent>>;
  /** Drains and stops all. */
  stop(): Promise<void>;
}
