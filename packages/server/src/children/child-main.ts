/** @file The child's side of its channel: what every entry of a child process calls first. */

/** What a child does. */
export interface ChildHandlers {
  /** Called once with `ChildOptions.start`. A rejection ends the process with code 1 and its stack as last lines. */
  start(message: unknown, main: MainChannel): void | Promise<void>;
  /** Called for every later message of main, in order, also while `start` has not resolved. */
  message?(message: unknown): void | Promise<void>;
  /** Called when main closed the channel or died; the process exits when it resolves, at the latest after a second. */
  close?(): void | Promise<void>;
}

/** The channel to main. */
export interface MainChannel {
  /** Structured clone: typed arrays travel as they are. Does nothing when main is gone. */
  send(message: unknown): void;
  /** Sends a last message and exits with code 0 once it, and so everything before it, has left. */
  finish(message: unknown): void;
}

/** A child that outlives its channel works for nobody: nothing may delay its exit longer. */
const closeLimitMs = 1000;

/**
 * Runs this process as a child of main: says that it listens, receives the start message, and exits when the channel
 * closes, which also happens when main is killed.
 */
export function childMain(handlers: ChildHandlers): void {
  const main: MainChannel = {
    send(message) {
      // The callback takes the error of a channel that closes meanwhile: `disconnect` handles that.
      if (process.connected) process.send?.(message, undefined, {}, () => undefined);
    },
    finish(message) {
      if (process.connected) process.send?.(message, undefined, {}, () => process.exit(0));
      else process.exit(0);
    },
  };
  const guard = (work: () => void | Promise<void>): void => {
    Promise.resolve()
      .then(work)
      .catch((error: unknown) => {
        console.error(error instanceof Error ? (error.stack ?? error.message) : error);
        process.exit(1);
      });
  };
  let started = false;
  process.on("message", (message) => {
    if (started) return guard(() => handlers.message?.(message));
    started = true;
    guard(() => handlers.start(message, main));
  });
  process.once("disconnect", () => {
    setTimeout(() => process.exit(0), closeLimitMs).unref();
    guard(async () => {
      await handlers.close?.();
      process.exit(0);
    });
  });
  if (process.channel === undefined) throw new Error("childMain: expected to be started by main, found no channel");
  main.send({ listening: true });
}
