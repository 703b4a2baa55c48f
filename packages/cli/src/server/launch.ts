/** @file Starts the server as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Gristmill } from "@gristmill/sdk";
import { CliError } from "../failure.ts";
import { type Env, findServer, homeOf, isAlive, type ServerRecord } from "../home.ts";
import { serverEntry } from "./entry.ts";

/** The first start makes a database; a slow disk may take a while. */
const readyWithinMs = 60_000;
/** The server drains to its own deadline; after ours it is called stuck. */
const goneWithinMs = 60_000;

/** Where a detached server writes what it says. */
export const logPath = (home: string): string => join(home, "log", "server.log");

/** True when the server answers and takes requests. */
export async function isReady(url: string, signal?: AbortSignal): Promise<boolean> {
  try {
    return await new Gristmill({ baseUrl: url, apiKey: "", maxRetries: 0, timeoutMs: 2000 }).health.ready({ signal });
  } catch {
    // Nobody listens yet, or somebody else does: not ready is all there is to know.
    signal?.throwIfAborted();
    return false;
  }
}

/** Runs the server's main file in this terminal until it ends, handing it our signals. Resolves to its exit code. */
export async function runServer(args: readonly string[], env: Env): Promise<number> {
  // In a session of its own, or a terminal's Ctrl-C would reach it twice: from the terminal and from us.
  const child = spawn(process.execPath, [serverEntry(), ...args], { env, stdio: "inherit", detached: true });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const pass = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  for (const signal of signals) process.on(signal, pass);
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}

/** Starts the server, leaves it running, and resolves when it is ready. @throws CliError with its last words when it ends before. */
export async function startDetached(env: Env, signal?: AbortSignal): Promise<ServerRecord> {
  const home = homeOf(env);
  await mkdir(join(home, "log"), { recursive: true, mode: 0o700 });
  const log = await open(logPath(home), "a", 0o600);
  const { size } = await log.stat();
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [serverEntry()], { env, stdio: ["ignore", log.fd, log.fd], detached: true });
  } finally {
    await log.close();
  }
  const { pid } = child;
  if (pid === undefined) throw (await once(child, "error"))[0];
  try {
    const url = await untilReady(child, home, size, signal);
    child.unref();
    return { pid, startTime: null, url };
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  }
}

/** The address that our child says it is ready at. Asking the port instead could reach another program that holds it. */
async function untilReady(child: ChildProcess, home: string, logStart: number, signal?: AbortSignal): Promise<string> {
  const deadline = Date.now() + readyWithinMs;
  const said = async (): Promise<string> => (await readFile(logPath(home))).subarray(logStart).toString("utf8");
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  while (!hasEnded() && Date.now() < deadline) {
    const [, url] = /^Gristmill is ready at (\S+)$/m.exec(await said()) ?? [];
    if (url !== undefined) return url;
    await delay(50, undefined, { signal });
  }
  const lastLines = (await said()).trimEnd().split("\n").slice(-12);
  throw new CliError(
    "cli.server_ended",
    hasEnded()
      ? "The platform ended before it was ready:"
      : `The platform was not ready within ${readyWithinMs / 1000} s:`,
    `${lastLines.map((line) => `  ${line}`).join("\n")}\n  All of it: ${logPath(home)}`,
  );
}

/** Asks the home's server to end and waits until it is gone. Resolves to undefined when none runs. @throws CliError when it does not end. */
export async function stopServer(home: string, signal?: AbortSignal): Promise<ServerRecord | undefined> {
  const record = await findServer(home);
  if (record === undefined) return undefined;
  process.kill(record.pid, "SIGTERM");
  const deadline = Date.now() + goneWithinMs;
  while (await isAlive(record)) {
    if (Date.now() > deadline)
      throw new CliError(
        "cli.server_stuck",
        `The platform (process ${record.pid}) does not end.`,
        `See ${logPath(home)}; \`kill -9 ${record.pid}\` ends it, and the next start mends what that left.`,
      );
    await delay(50, undefined, signal === undefined ? {} : { signal });
  }
  return record;
}
