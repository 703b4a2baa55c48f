/** @file What Linux says of processes; a pid alone names nobody, because pids are used again. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** True while a process of that pid exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A process's working folder; undefined when it is gone, belongs to another user, or the system has no /proc. */
export function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined; // each of the three reasons means: not known
  }
}

/** When a process started, in seconds since 1970, exact to about a second; undefined when not known. */
export function startedAt(pid: number): number | undefined {
  try {
    const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold spaces; the start time is the 22nd field, in ticks of 10 ms.
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    return bootSeconds + ticks / 100;
  } catch {
    return undefined;
  }
}

/** PostgreSQL's processes work in their data folder; the empty list where there is no /proc. */
export function processesIn(folder: string): readonly number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => workingFolder(pid) === folder);
  } catch {
    return [];
  }
}

/** Waits until a process is gone; false when it lives on after `timeoutMs`. */
export async function isGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}
