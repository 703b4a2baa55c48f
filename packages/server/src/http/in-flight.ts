/** @file The requests under way: told when their client goes away or the server stops, and waited for at the end. */
import { finished } from "node:stream";
import { AppError } from "@gristmill/contract";
import type { FastifyReply } from "fastify";

/** One request under way. */
export interface Flight {
  readonly signal: AbortSignal;
  /** Marks an endless answer (events), which is ended as soon as the server stops: its client comes back by itself. */
  endsOnStop(): void;
}

/** All requests under way. */
export class InFlight {
  readonly #aborts = new Map<AbortController, { endsOnStop: boolean }>();
  #stopping = false;
  #onEmpty: () => void = () => {};

  get count(): number {
    return this.#aborts.size;
  }

  /** True from the moment that `stop` was called. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  begin(reply: FastifyReply): Flight {
    const controller = new AbortController();
    const entry = { endsOnStop: false };
    this.#aborts.set(controller, entry);
    finished(reply.raw, (error) => {
      if (error) controller.abort(new AppError("request.cancelled", "The client went away."));
      this.#aborts.delete(controller);
      if (this.#aborts.size === 0) this.#onEmpty();
    });
    return {
      signal: controller.signal,
      endsOnStop: () => {
        entry.endsOnStop = true;
        if (this.#stopping) controller.abort(stopping());
      },
    };
  }

  /** No new work from now on: ends endless answers, waits for the rest, and aborts what is left at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    for (const [controller, entry] of this.#aborts) if (entry.endsOnStop) controller.abort(stopping());
    if (await this.#isEmpty(deadlineMs)) return;
    for (const controller of this.#aborts.keys()) controller.abort(stopping());
    await this.#isEmpty(1_000); // handlers that obey their signal still get to answer
  }

  #isEmpty(waitMs: number): Promise<boolean> {
    if (this.#aborts.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), waitMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}

/** What new requests and cut ones are told. */
export const stopping = (): AppError => new AppError("server.stopping", "The server is shutting down.");
