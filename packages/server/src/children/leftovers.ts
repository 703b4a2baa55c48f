/** @file Records of living children, so that those of a killed main can be ended. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processStart } from "./process-start.ts";

interface Entry {
  readonly pid: number;
  readonly start: string;
  readonly name: string;
}

/** Child processes on record in a folder. */
export interface Leftovers {
  /** Puts a living process on record; written when it returns. */
  add(pid: number, name: string): void;
  remove(pid: number): void;
  /** Ends every process on record that is still the recorded one, waits until it is gone, and clears the record. */
  end(): Promise<readonly string[]>;
}

/** Records in `folder`, one small file a process. Written synchronously: a kill must not fall between start and record. */
export function createLeftovers(folder: string): Leftovers {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = (pid: number): string => join(folder, `${pid}.json`);
  return {
    add(pid, name) {
      const start = processStart(pid);
      // Without a start time the process could not be told from a later one of the same id: it ends with its channel.
      if (start === undefined) return;
      writeFileSync(file(pid), JSON.stringify({ pid, start, name } satisfies Entry), { mode: 0o600 });
    },
    remove(pid) {
      rmSync(file(pid), { force: true });
    },
    async end() {
      const ended: string[] = [];
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        const entry = parseEntry(readFileSync(path, "utf8"));
        if (entry !== undefined && processStart(entry.pid) === entry.start) {
          process.kill(entry.pid, "SIGKILL");
          await gone(entry);
          ended.push(entry.name);
        }
        rmSync(path, { force: true });
      }
      return ended;
    },
  };
}

/** A killed process can need a moment to give back its memory; one that stays (device wait) is left to the kernel. */
async function gone(entry: Entry): Promise<void> {
  for (let i = 0; i < 500 && processStart(entry.pid) === entry.start; i++) await sleep(10);
}

function parseEntry(text: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, start, name } = value as Partial<Record<keyof Entry, unknown>>;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid < 2) return undefined;
    return typeof start === "string" && typeof name === "string" ? { pid, start, name } : undefined;
  } catch {
    // A file cut short by a crash of the machine: its process is gone too.
    return undefined;
  }
}
