import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineRunError } from "../errors.ts";

/** A program that runs until it is stopped, or until this process ends, however it does. */
export interface ServerProcess {
  readonly pid: number;
  /** The end of what it wrote, at most 4 kB. */
  lastLines(): string;
  /** Resolves once, with its exit code or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** Everything that it wrote so far is asked until `find` finds something. @throws EngineRunError when it exits before; `signal.reason`. */
  find<T>(find: (output: string) => T | undefined, signal: AbortSignal): Promise<T>;
  /** Asks it to end, and kills it after `graceMs`. Resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

const tailLength = 4096;
/** Enough for the lines before a server listens. */
const headLength = 1_048_576;
const pollMs = 20;

/**
 * Starts a program. POSIX alone: a shell that holds a pipe from here ends the program when the pipe closes, which it does even when this
 * process is killed.
 * @throws EngineRunError when it can't be started.
 */
export async function startServerProcess(
  path: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const child = spawn(path, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...allowedEnvironment(), ...environment },
  });
  const { promise: started, resolve, reject } = Promise.withResolvers<number>();
  child.once("spawn", () => resolve(child.pid ?? 0));
  child.once("error", (cause) =>
    reject(
      new EngineRunError(`${path} can't be started: ${cause.message}; check the path and that it may be executed`, {
        cause,
      }),
    ),
  );
  const exited = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "an unknown end"));
  });
  const output = keepOutput(child);
  const pid = await started;
  const watch = spawn("/bin/sh", ["-c", 'read -r _; kill -9 "$1" 2>/dev/null', "watch", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without the watch the program would outlive a killed parent, and nothing else would be amiss.
  watch.once("error", () => undefined);
  // The program's number may soon be another's: the watch must not act on it.
  void exited.then(() => watch.kill("SIGKILL"));
  return {
    pid,
    exited,
    lastLines: () => output.tail.trim(),
    async find(find, signal) {
      let end: number | string | undefined;
      void exited.then((how) => {
        end = how;
      });
      for (;;) {
        const found = find(output.head);
        if (found !== undefined) return found;
        if (end !== undefined) throw endedEarly(path, end, output.tail);
        await sleep(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    },
    async stop(graceMs = 2000) {
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(kill);
    },
  };
}

/** Names no user and no key of ours: what programs need to find libraries and graphics cards. */
const allowedNames = /^(PATH|HOME|LANG|TMPDIR|LD_LIBRARY_PATH|(GGML|CUDA|NVIDIA|HIP|ROCR|VK)_.*)$/;

const allowedEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && allowedNames.test(name) ? [[name, value]] : [],
    ),
  );

const endedEarly = (path: string, how: number | string, tail: string): EngineRunError =>
  new EngineRunError(`${path} ended with ${how} before it listened; its last lines: ${tail.trim().slice(-1000)}`);

function keepOutput({ stdout, stderr }: ChildProcess): { head: string; tail: string } {
  const output = { head: "", tail: "" };
  for (const stream of [stdout, stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      if (output.head.length < headLength) output.head += text;
      output.tail = (output.tail + text).slice(-tailLength);
    });
  return output;
}
