/** @file Finds processes by who started them and what they run, so that tests kill the right one. */
import { readdirSync, readFileSync } from "node:fs";

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function all(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/stat`, "utf8");
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        return [
          { pid: Number(name), parent: Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[1]), command },
        ];
      } catch {
        return []; // it ended while we looked
      }
    });
}

/** Processes whose command line contains `text`, among the children of `parent` when it is given. */
export const processesOf = (text: string, parent?: number): number[] =>
  all()
    .filter((process) => process.command.includes(text) && (parent === undefined || process.parent === parent))
    .map((process) => process.pid);
