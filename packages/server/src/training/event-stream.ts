/** @file A run's events as server-sent events, from the database: a client that comes back later misses nothing that is kept. */
import type { ProjectId, RunEvent, RunId } from "@gristmill/contract";
import type { RunSignals } from "./signals.ts";
import { isFinal } from "./state.ts";
import type { RunStore } from "./store.ts";
import { eventToWire } from "./wire.ts";

/** Proxies close connections that are silent for long; a comment is not silence, and no event either. */
const keepAliveMs = 15_000;
const pageSize = 200;

/** One event as text. */
export const eventText = (event: RunEvent): string =>
  `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** Events after a number, as they come; ends after the run's last one, or when `signal` says so. */
export async function* eventStream(
  deps: { readonly store: RunStore; readonly signals: RunSignals; readonly keepAliveMs?: number },
  run: { readonly projectId: ProjectId; readonly id: RunId; readonly after: number },
  signal: AbortSignal,
): AsyncGenerator<string> {
  yield ": events of a run\n\n"; // headers leave at once, so that a client knows that it is connected
  let last = run.after;
  while (!signal.aborted) {
    const news = deps.signals.next(run.id, deps.keepAliveMs ?? keepAliveMs, signal);
    try {
      // The status is read before the events: what ends a run is written together with its last event.
      const row = await deps.store.find(run.projectId, run.id);
      const events = await deps.store.eventsAfter(run.projectId, run.id, last, pageSize);
      for (const event of events) {
        yield eventText(eventToWire(event));
        last = event.id;
      }
      if (events.length === pageSize) continue;
      if (row === undefined || isFinal(row.status)) return;
      if (!(await news.woken) && !signal.aborted) yield ": still here\n\n";
    } finally {
      news.release();
    }
  }
}
