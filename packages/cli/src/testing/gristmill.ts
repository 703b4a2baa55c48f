/** @file The command as a real process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const entry = fileURLToPath(new URL("../main.ts", import.meta.url));

/** What a call left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running call. */
export interface Call {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
  /** Resolves when standard output or error holds the text. */
  said(text: string): Promise<void>;
}

/** An empty folder until the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gristmill-cli-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts the command. Only the given variables reach it, and PATH. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Call {
  const child = spawn(process.execPath, [entry, ...args], {
    env: { PATH: process.env["PATH"], GRISTMILL_HOME: "/nonexistent/gristmill-home", COLUMNS: "100", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const listener of listeners) listener();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const outcome = once(child, "close").then(([code]): Outcome => ({ code: code as number | null, stdout, stderr }));
  return {
    child,
    outcome,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if ((stdout + stderr).includes(text)) resolve();
        };
        listeners.add(look);
        void outcome.then(() => {
          look();
          reject(new Error(`"${text}" was never said:\n${stdout}${stderr}`));
        });
        look();
      }),
  };
}

/** Runs the command to its end. */
export const gristmill = (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome> =>
  start(args, env).outcome;
