/** @file The callbacks of one training: called in their order, each with its own view of the training. */
import { NnError } from "../errors.ts";
import type { Callback, TrainingControl } from "./control.ts";
import type { EpochResult, History, Progress } from "./history.ts";
import type { TrainingState } from "./state.ts";

/** What callbacks may reach of a training. */
export interface Followed {
  readonly state: TrainingState;
  readonly weights: readonly string[];
  save(): Uint8Array<ArrayBuffer>;
}

/** Where a training is. */
export interface Place {
  /** Epochs that count as done, as `EpochResult.epoch` counts. */
  readonly epoch: number;
  /** True when there is validation data. */
  readonly validates: boolean;
}

/** Calls the callbacks of a training. */
export class Callbacks {
  readonly #callbacks: readonly { readonly callback: Callback; readonly control: TrainingControl }[];
  #begun = 0;
  /** Why a callback ends the training. */
  stopped: string | undefined;

  /** @throws NnError when two have one name */
  constructor(training: Followed, place: Place, callbacks: readonly Callback[]) {
    const names = callbacks.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) throw new NnError(`callbacks: expected each once, received "${twice}" twice`);
    this.#callbacks = callbacks.map((callback) => ({
      callback,
      control: this.#controlOf(training, place, callback.name),
    }));
  }

  async begin(): Promise<void> {
    for (const { callback, control } of this.#callbacks) {
      this.#begun++;
      await callback.onTrainBegin?.(control);
    }
  }

  async runEnd(progress: Progress): Promise<void> {
    for (const { callback, control } of this.#callbacks) await callback.onRunEnd?.(progress, control);
  }

  async epochEnd(result: EpochResult): Promise<void> {
    for (const { callback, control } of this.#callbacks) await callback.onEpochEnd?.(result, control);
  }

  /** Ends all that have begun, also when one of them fails: files must be closed. @throws the first failure */
  async end(history: History | undefined): Promise<void> {
    const failures: unknown[] = [];
    for (const { callback, control } of this.#callbacks.slice(0, this.#begun))
      try {
        await callback.onTrainEnd?.(history, control);
      } catch (error) {
        failures.push(error);
      }
    if (failures.length > 0) throw failures[0];
  }

  #controlOf({ state, weights, save }: Followed, place: Place, name: string): TrainingControl {
    const callbacks = this;
    return {
      validates: place.validates,
      get epoch() {
        return place.epoch;
      },
      get step() {
        return state.step;
      },
      get rateFactor() {
        return state.rateFactor;
      },
      set rateFactor(factor) {
        if (!(factor > 0 && factor < Number.POSITIVE_INFINITY))
          throw new NnError(`${name}: expected a rateFactor above 0, received ${factor}`);
        state.rateFactor = factor;
      },
      stop(reason) {
        callbacks.stopped ??= reason;
      },
      recall: () => state.memory.notes.get(name),
      remember: (value) => void state.memory.notes.set(name, value),
      keepWeights: () =>
        void state.memory.weights.set(
          name,
          new Map(weights.map((id) => [id, Float32Array.from(state.arrays.get(id) ?? [])])),
        ),
      restoreWeights() {
        for (const [id, values] of state.memory.weights.get(name) ?? []) state.arrays.get(id)?.set(values);
      },
      save,
      weights: () => weights.map((id) => [id, state.arrays.get(id) ?? new Float32Array()] as const),
    };
  }
}
