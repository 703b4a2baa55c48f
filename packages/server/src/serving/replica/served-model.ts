/** @file What a replica does with its model, whatever its format. */
import type { GenerationEvent, LanguageCard } from "@gristmill/engine";
import type { GenerateCall, ReplicaAnswer, ReplicaCall } from "./protocol.ts";

/** A model that is loaded. */
export interface ServedModel {
  /** null: it is no language model. */
  readonly card: LanguageCard | null;
  /** Requests that wait. */
  readonly queueDepth: number;
  /** @throws errors of the engine, which failure.ts tells main; `signal.reason`. */
  answer(call: ReplicaCall, signal: AbortSignal): Promise<ReplicaAnswer>;
  /** @throws as `answer`. */
  generate(call: GenerateCall, signal: AbortSignal): AsyncIterable<GenerationEvent>;
  /** Ends what is under way. */
  close(): Promise<void>;
}
