/** @file Starts child processes for native code, watches them, and ends them. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Log } from "../feature.ts";
import type { Child, ChildExit, ChildOptions, Children } from "./child.ts";
import { lastLines } from "./last-lines.ts";
import { createLeftovers, type Leftovers } from "./leftovers.ts";
import { permissionFlags } from "./permissions.ts";

/** Where children are recorded and live. */
export interface ChildrenOptions {
  /** A folder of main's own: records of children, and the empty folder that they work in. */
  readonly folder: string;
  readonly now: () => Date;
  readonly log: Log;
}

const lastLinesBytes = 4096;
const defaultGraceMs = 2000;
/** Native libraries load from a cold disk in 3 s here; a child that says nothing for this long hangs. */
const listenLimitMs = 60_000;
/** All of main's environment that a child may see: no keys, no DATABASE_URL, no NODE_OPTIONS. */
const inherited = ["PATH", "LANG", "LC_ALL", "TZ"] as const;

/** Children of this process. */
export function createChildren({ folder, now, log }: ChildrenOptions): Children {
  const empty = join(folder, "empty");
  mkdirSync(empty, { recursive: true, mode: 0o700 });
  const leftovers = createLeftovers(join(folder, "running"));
  const running = new Set<Child>();
  let stopping = false;
  return {
    async start(options) {
      if (stopping) throw new Error(`${options.name}: no child starts while the platform stops`);
      const startedAt = now();
      const child = await startChild(options, empty, leftovers);
      running.add(child);
      void child.exited.then((exit) => {
        running.delete(child);
        const fields = { child: options.name, pid: child.pid, code: exit.code, signal: exit.signal };
        const seconds = (now().getTime() - startedAt.getTime()) / 1000;
        if (exit.code === 0) log.info({ ...fields, seconds }, "child ended");
        else log.warn({ ...fields, seconds, lastLines: exit.lastLines }, "child ended");
      });
      // `stop` ran while this child was starting: it was not in the list yet.
      if (stopping) await child.stop();
      return child;
    },
    async endLeftovers() {
      const ended = await leftovers.end();
      for (const name of ended) log.warn({ child: name }, "ended a child that a killed server had left behind");
      return ended.length;
    },
    async stop() {
      stopping = true;
      await Promise.all([...running].map((child) => child.stop()));
    },
  };
}

async function startChild(options: ChildOptions, empty: string, leftovers: Leftovers): Promise<Child> {
  const env: NodeJS.ProcessEnv = { HOME: empty };
  for (const name of inherited) if (process.env[name] !== undefined) env[name] = process.env[name];
  const subprocess = fork(options.entry, [], {
    serialization: "advanced",
    cwd: empty,
    env,
    execArgv: permissionFlags(options.readPaths, options.writePaths),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const { pid, stderr } = subprocess;
  if (pid === undefined || stderr === null) {
    const [cause] = await new Promise<[Error]>((resolve) => subprocess.once("error", (error) => resolve([error])));
    throw new Error(`${options.name}: its process could not be started: ${cause.message}`, { cause });
  }
  // From here errors (a signal that could not be sent, a closed channel) are followed by the exit, which is handled.
  subprocess.on("error", () => undefined);
  leftovers.add(pid, options.name);
  // Threads that the child makes later inherit it. Cannot fail downwards: nice only ever grows here.
  if (options.nice !== undefined) setPriority(pid, Math.min(options.nice, constants.priority.PRIORITY_LOW));
  const exited = watchExit(subprocess, stderr).then((exit) => {
    leftovers.remove(pid);
    return exit;
  });
  await listening(options, subprocess, exited);
  const child = connectedChild(subprocess, pid, exited);
  child.send(options.start);
  return child;
}

/**
 * Resolves when the process is gone and its standard error has been read. Not by the event "close": Node 24 does not
 * send it when the parent was the one to disconnect.
 */
async function watchExit(subprocess: ChildProcess, stderr: Readable): Promise<ChildExit> {
  const lines = lastLines(stderr, lastLinesBytes);
  const read = new Promise<void>((resolve) => stderr.once("close", resolve));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    subprocess.once("exit", (...how) => resolve(how)),
  );
  await read;
  return { code, signal, lastLines: lines() };
}

/** Waits for the child's first message. */
async function listening(options: ChildOptions, subprocess: ChildProcess, exited: Promise<ChildExit>): Promise<void> {
  const limit = AbortSignal.timeout(listenLimitMs);
  const heard = new Promise<"heard" | "silent">((resolve) => {
    subprocess.once("message", () => resolve("heard"));
    limit.addEventListener("abort", () => resolve("silent"), { once: true });
  });
  const first = await Promise.race([heard, exited]);
  if (first === "heard") return;
  subprocess.kill("SIGKILL");
  const { code, signal, lastLines: lines } = await exited;
  const how = first === "silent" ? `did not answer within ${listenLimitMs} ms` : `ended at once (${signal ?? code})`;
  throw new Error(`${options.name}: its process ${how}: ${lines}`);
}

function connectedChild(subprocess: ChildProcess, pid: number, exited: Promise<ChildExit>): Child {
  const listeners: ((message: unknown) => void)[] = [];
  // What arrives before anyone listens is kept for the first listener.
  let early: unknown[] = [];
  subprocess.on("message", (message) => {
    if (listeners.length === 0) early.push(message);
    for (const listener of listeners) listener(message);
  });
  return {
    pid,
    exited,
    send(message) {
      // Messages to a child that has just ended are lost like those under way: `exited` tells.
      if (subprocess.connected) subprocess.send(message as object, () => undefined);
    },
    onMessage(listener) {
      listeners.push(listener);
      const kept = early;
      early = [];
      for (const message of kept) listener(message);
    },
    async stop(graceMs = defaultGraceMs) {
      if (subprocess.connected) subprocess.disconnect();
      const timer = setTimeout(() => subprocess.kill("SIGKILL"), graceMs);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
