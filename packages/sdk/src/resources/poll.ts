/** @file Waiting for a resource that has no events of its own. */
import { GristmillError } from "../http/errors.ts";
import type { CallOptions, Transport } from "../http/transport.ts";

/** How to wait, and whom to tell meanwhile. */
export interface WaitOptions<T> extends CallOptions {
  /** Called with each state that was read. */
  readonly onChange?: (state: T) => void;
  /** Longest wait in milliseconds; default none. */
  readonly timeoutMs?: number;
  /** Time between two looks; default 250. */
  readonly pollMs?: number;
}

/** Looks until `done` holds. @throws GristmillError `client.timeout` */
export async function pollUntil<T>(
  transport: Transport,
  read: () => Promise<T>,
  done: (state: T) => boolean,
  options: WaitOptions<T>,
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? Number.POSITIVE_INFINITY);
  for (;;) {
    const state = await read();
    options.onChange?.(state);
    if (done(state)) return state;
    if (Date.now() >= deadline)
      throw new GristmillError(`Not ready within ${options.timeoutMs} ms.`, {
        code: "client.timeout",
        retryable: true,
        help: "Wait longer, or look at its state.",
        details: { state },
      });
    await transport.pause(options.pollMs ?? 250, options.signal);
  }
}
