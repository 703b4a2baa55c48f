/** @file When a process began, so that a process id that was used again is not mistaken for the old process. */
import { readFileSync } from "node:fs";

/**
 * Start of a process as `<boot id>:<clock ticks since boot>`; undefined when no such process lives or this system has
 * no /proc.
 */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Field 2 is the program's name in parentheses and may itself hold spaces and parentheses: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, ticks] = [fields[0], fields[19]];
    // A zombie has ended; only its parent has not asked yet.
    if (state === "Z" || ticks === undefined) return undefined;
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()}:${ticks}`;
  } catch {
    // The process is gone, or the system has no /proc.
    return undefined;
  }
}
