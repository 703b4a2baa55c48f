/** @file One model in a process of its own: calls of main in, answers and events out. */
import type { GenerationEvent } from "@gristmill/engine";
import type { MainChannel } from "../../children/child-main.ts";
import { toFailure } from "./failure.ts";
import { Outbox } from "./outbox.ts";
import {
  eventWindow,
  type GenerateCall,
  type MainMessage,
  type ReplicaCall,
  type ReplicaHealth,
  type ReplicaMessage,
} from "./protocol.ts";
import type { ServedModel } from "./served-model.ts";
import { Window } from "./window.ts";

/** What is under way. */
interface Work {
  readonly abort: AbortController;
  /** Of a generation: how many events may still be sent. */
  readonly window?: Window;
}

/** Serves one model. */
export class Replica {
  readonly #outbox: Outbox<ReplicaMessage>;
  readonly #model: ServedModel;
  readonly #running = new Map<number, Work>();

  constructor(main: MainChannel, model: ServedModel) {
    this.#outbox = new Outbox((messages) => main.send(messages));
    this.#model = model;
    this.#outbox.add({ type: "ready", health: this.#health(), card: model.card });
  }

  take(message: MainMessage): void {
    switch (message.type) {
      case "call":
        void this.#work(message.id, {}, (signal) => this.#answer(message.id, message.call, signal));
        break;
      case "generate": {
        const window = new Window(eventWindow);
        void this.#work(message.id, { window }, (signal) => this.#generate(message.id, message.call, window, signal));
        break;
      }
      case "more":
        this.#running.get(message.id)?.window?.open(message.events);
        break;
      case "cancel":
        this.#running.get(message.id)?.abort.abort(new Error("cancelled"));
        break;
      case "ping":
        this.#outbox.add({ type: "pong", health: this.#health() });
        break;
    }
  }

  /** Ends all work. */
  async close(): Promise<void> {
    await this.#model.close();
  }

  async #work(id: number, more: { window?: Window }, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const abort = new AbortController();
    this.#running.set(id, { abort, ...more });
    try {
      await run(abort.signal);
    } catch (error) {
      // Main has answered a cancelled caller itself.
      if (!abort.signal.aborted) this.#outbox.add({ type: "failure", id, failure: toFailure(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  async #answer(id: number, call: ReplicaCall, signal: AbortSignal): Promise<void> {
    this.#outbox.add({ type: "answer", id, answer: await this.#model.answer(call, signal) });
  }

  async #generate(id: number, call: GenerateCall, window: Window, signal: AbortSignal): Promise<void> {
    const send = (event: GenerationEvent): void => this.#outbox.add({ type: "event", id, event });
    for await (const event of this.#model.generate(call, signal)) {
      send(event);
      if (!window.take()) await window.opened(signal);
    }
    this.#outbox.add({ type: "end", id });
  }

  #health(): ReplicaHealth {
    return { queueDepth: this.#model.queueDepth, memoryBytes: process.memoryUsage.rss() };
  }
}
