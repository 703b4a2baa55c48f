/** @file Load over HTTP from a process of its own, so that the measured process does nothing else. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { LoadJob, LoadResult } from "./serve-cnn.load.ts";

/** Runs a job in the load generator and answers what it measured. */
export async function load(job: LoadJob): Promise<LoadResult> {
  const generator = spawn(process.execPath, [join(import.meta.dirname, "serve-cnn.load.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  generator.stdin.end(JSON.stringify(job));
  return JSON.parse(await text(generator.stdout)) as LoadResult;
}
