/** @file A secret from a person, unseen, or from a pipe. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { ReadStream } from "node:tty";
import type { Screen } from "./screen.ts";

/** Asks for a line that is not shown while it is typed. From a pipe, its first line; "" where there is none. */
export async function askSecret(
  question: string,
  stdin: ReadStream,
  screen: Screen,
  signal: AbortSignal,
): Promise<string> {
  const isTerminal = stdin.isTTY === true;
  if (isTerminal) screen.stream.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // As a terminal, readline puts it into raw mode, and what would be echoed goes nowhere.
  const lines = createInterface({ input: stdin, output: nowhere, terminal: isTerminal });
  try {
    for await (const line of abortable(lines, signal)) return line;
    return "";
  } finally {
    lines.close();
    if (isTerminal) screen.stream.write("\n");
  }
}

/** Raw mode takes Ctrl-C from the process: readline tells us of it instead. */
async function* abortable(lines: ReturnType<typeof createInterface>, signal: AbortSignal): AsyncGenerator<string> {
  const interrupt = (): void => void process.kill(process.pid, "SIGINT");
  const stop = (): void => lines.close();
  lines.on("SIGINT", interrupt);
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const line of lines) yield line;
    signal.throwIfAborted();
  } finally {
    lines.off("SIGINT", interrupt);
    signal.removeEventListener("abort", stop);
  }
}
