import Table from "cli-table3";
import type { Paint } from "./paint.ts";

/** A column's heading; numbers stand at the right. */
export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
}

/** Rules above and below, none between: the eye reads rows. */
const lines = {
  top: "─",
  "top-mid": "─",
  "top-left": " ",
  "top-right": "",
  bottom: "─",
  "bottom-mid": "─",
  "bottom-left": " ",
  "bottom-right": "",
  left: " ",
  "left-mid": " ",
  mid: "─",
  "mid-mid": "─",
  right: "",
  "right-mid": "",
  middle: " ",
};

/** A table for people. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], paint: Paint): string {
  const view = new Table({
    head: columns.map(({ head }) => paint("strong", head)),
    colAligns: columns.map(({ align }) => align ?? "left"),
    style: { head: [], border: [], "padding-left": 1, "padding-right": 1, compact: true },
    chars: lines,
  });
  view.push(...rows.map((row) => [...row]));
  return view
    .toString()
    .replaceAll(/ +$/gm, "")
    .replaceAll(/─+$/gm, (rule) => paint("faint", rule));
}

/** Names and values of one thing, one a line. */
export function facts(pairs: readonly (readonly [string, string])[], paint: Paint): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs
    .map(
      ([name, value]) =>
        `  ${paint("faint", name.padEnd(width))}  ${value.replaceAll("\n", `\n${" ".repeat(width + 4)}`)}`,
    )
    .join("\n");
}
