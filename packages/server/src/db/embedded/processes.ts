/** @file What Linux says of processes; a pid alone names nobody, because pids are used again. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** True while a process of that pid runs, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return !isZombie(pid);
}

/** An ended process whose parent never asked how: in containers whose first process does not, it keeps its pid for ever. */
export const isZombie = (pid: number): boolean => statFields(pid)?.[0] === "Z";

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
    const ticks = Number(statFields(pid)?.[19]);
    return Number.isNaN(ticks) ? undefined : bootSeconds + ticks / 100;
  } catch {
    return undefined;
  }
}

/** The fields of /proc/<pid>/stat from the third on: 0 is the state, 19 the start in ticks of 10 ms since boot. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // it is gone, or there is no /proc
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
