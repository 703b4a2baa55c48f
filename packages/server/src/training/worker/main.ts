/** @file The training worker's process. It hears main's messages and runs one training; see train.ts. */
import { childMain } from "../../children/index.ts";
import type { ToWorker } from "./protocol.ts";
import { train } from "./train.ts";

const stop = new AbortController();
const waiting = new Map<number, () => void>();

childMain({
  async start(message, main) {
    const start = message as ToWorker;
    if (start.type !== "start")
      throw new Error(`training worker: expected a start message first, received ${start.type}`);
    const last = await train(start, {
      send: (said) => main.send(said),
      signal: stop.signal,
      recorded(epoch) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.set(epoch, resolve);
        return promise;
      },
      now: () => performance.now(),
    });
    main.finish(last);
  },
  message(message) {
    const said = message as ToWorker;
    if (said.type === "cancel") stop.abort(new Error("cancelled"));
    if (said.type === "recorded") {
      waiting.get(said.epoch)?.();
      waiting.delete(said.epoch);
    }
  },
});
