import type { CreateRunInput, Run, RunEvent, RunProgress } from "@gristmill/contract";
import { Listing, type ListOptions } from "../http/listing.ts";
import type { CallOptions, PostOptions, Transport } from "../http/transport.ts";
import { followRun, isFinalEvent } from "./run-events.ts";

/** How to read a run's events. */
export interface EventOptions extends CallOptions {
  /** Begins after this event; default: from the first one. */
  readonly after?: number;
}

/** How to wait for a run, and whom to tell meanwhile. */
export interface RunWaitOptions extends EventOptions {
  readonly onProgress?: (progress: RunProgress, event: RunEvent) => void;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Runs: one training job each. */
export class Runs {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options?: ListOptions): Listing<Run> {
    return new Listing(this.#transport, "/api/runs", options);
  }

  /** @throws GristmillError `run.not_found`. */
  get(run: string, options?: CallOptions): Promise<Run> {
    return this.#transport.json({ method: "GET", path: `/api/runs/${encodeURIComponent(run)}`, ...options });
  }

  /** Queues a run. @throws GristmillError `spec.invalid`, naming each layer that does not fit. */
  create(body: CreateRunInput, options?: PostOptions): Promise<Run> {
    return this.#transport.json({ method: "POST", path: "/api/runs", json: body, ...options });
  }

  /** @throws GristmillError `run.finished` when there is nothing to cancel. */
  cancel(run: string, options?: PostOptions): Promise<Run> {
    return this.#transport.json({ method: "POST", path: `/api/runs/${encodeURIComponent(run)}/cancel`, ...options });
  }

  /** Queues a paused run again, from its checkpoint. @throws GristmillError when it is not paused. */
  resume(run: string, options?: PostOptions): Promise<Run> {
    return this.#transport.json({ method: "POST", path: `/api/runs/${encodeURIComponent(run)}/resume`, ...options });
  }

  /** Every event once and in order, to the run's end; a broken connection is taken up where it broke. */
  events(run: string, options: EventOptions = {}): AsyncGenerator<RunEvent> {
    return followRun(this.#transport, run, options.after ?? 0, options.signal);
  }

  /** Resolves to the run when it has ended: succeeded, failed or cancelled; its `status` says which. */
  async wait(run: string, options: RunWaitOptions = {}): Promise<Run> {
    for await (const event of this.events(run, options)) {
      options.onEvent?.(event);
      const progress = progressOf(event);
      if (progress !== undefined) options.onProgress?.(progress, event);
      if (isFinalEvent(event)) break;
    }
    return this.get(run, { signal: options.signal });
  }
}

/** A progress event's numbers; undefined for other events. */
export function progressOf(event: RunEvent): RunProgress | undefined {
  // The server builds the data of this event from its schema of a run's progress.
  return event.type === "run.progress" ? (event.data as unknown as RunProgress) : undefined;
}
