/** @file A child for tests: does what its messages ask and tells what came of it. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import { Worker } from "node:worker_threads";
import { childMain, type MainChannel } from "../child-main.ts";

interface Ask {
  readonly do: string;
  readonly path?: string;
}

let main: MainChannel | undefined;

const deeds: Record<string, (ask: Ask) => unknown> = {
  read: (ask) => readFileSync(ask.path ?? "", "utf8"),
  write: (ask) => writeFileSync(ask.path ?? "", "written by the child"),
  spawn: () => spawnSync("/bin/true").status,
  worker: () => new Worker("0", { eval: true }).threadId,
  look: () => ({ env: process.env, cwd: process.cwd(), execArgv: process.execArgv, nice: getPriority() }),
  // Like a long native call: the event loop does not turn, so a closed channel goes unnoticed.
  block: () => {
    main?.send({ blocking: true });
    for (;;);
  },
  fail: () => {
    throw new Error(`${"x".repeat(10_000)} the last words`);
  },
  finish: () => main?.finish({ finished: true }),
};

childMain({
  start(message, channel) {
    main = channel;
    channel.send({ started: message });
  },
  message(message) {
    const ask = message as Ask;
    if (ask.do === "fail") deeds["fail"]?.(ask);
    let answer: unknown;
    try {
      answer = { result: deeds[ask.do]?.(ask) };
    } catch (error) {
      answer = { error: (error as NodeJS.ErrnoException).code };
    }
    main?.send(answer);
  },
});
