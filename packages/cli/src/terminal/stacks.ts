/** @file Bars made of parts, with a legend: spend by day and model, a budget's spent and held. Pure. */
import { padTo, widthOf } from "./bars.ts";
import type { Look, Paint } from "./paint.ts";

/** Each part has a pattern of its own, so that a stack is read without colours too. */
const patterns: readonly { readonly mark: string; readonly look: Look }[] = [
  { mark: "█", look: "series1" },
  { mark: "▓", look: "series2" },
  { mark: "▒", look: "series3" },
  { mark: "░", look: "series4" },
  { mark: "▞", look: "series5" },
];
/** What does not get a pattern of its own. */
const rest = { mark: "·", look: "faint" } as const;

/** How many parts are told apart; callers gather all others into one more. */
export const mostParts = patterns.length;

/** One bar. */
export interface Stack {
  readonly label: string;
  /** Not negative, in a unit that all stacks share; in the order of the legend. */
  readonly parts: readonly number[];
  /** Shown behind the bar. */
  readonly text: string;
}

/** Characters of each part: the sum is the bar's length to the nearest character, and what is above nothing is seen. */
export function partWidths(parts: readonly number[], most: number, width: number): readonly number[] {
  if (most <= 0) return parts.map(() => 0);
  let drawn = 0;
  let sum = 0;
  return parts.map((part) => {
    sum += Math.max(0, part);
    const end = Math.round((sum / most) * width);
    const length = Math.max(part > 0 && drawn < width ? 1 : 0, end - drawn);
    drawn += length;
    return length;
  });
}

/** A chart of stacks on one scale, and below it what each pattern means. @param legend names and values of the parts. */
export function stackedChart(
  stacks: readonly Stack[],
  legend: readonly { readonly name: string; readonly text: string }[],
  columns: number,
  paint: Paint,
): string {
  const labels = Math.max(0, ...stacks.map(({ label }) => widthOf(label)));
  const texts = Math.max(0, ...stacks.map(({ text }) => widthOf(text)));
  const width = Math.min(60, Math.max(8, columns - labels - texts - 6));
  const totals = stacks.map(({ parts }) => parts.reduce((sum, part) => sum + Math.max(0, part), 0));
  const most = Math.max(0, ...totals);
  const bars = stacks.map(({ label, parts, text }) => {
    const bar = partWidths(parts, most, width)
      .map((length, i) => draw(i, length, paint))
      .join("");
    return `  ${padTo(label, labels)}  ${padTo(bar, width)}  ${text}`.trimEnd();
  });
  return [...bars, ...legendLines(legend, columns, paint)].join("\n");
}

const patternOf = (i: number): { readonly mark: string; readonly look: Look } => patterns[i] ?? rest;

const draw = (i: number, length: number, paint: Paint): string => {
  const { mark, look } = patternOf(i);
  return length === 0 ? "" : paint(look, mark.repeat(length));
};

function legendLines(
  legend: readonly { readonly name: string; readonly text: string }[],
  columns: number,
  paint: Paint,
): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const [i, { name, text }] of legend.entries()) {
    const entry = `  ${draw(i, 1, paint)} ${name} ${paint("faint", text)}`;
    if (line !== "" && widthOf(line) + widthOf(entry) > columns) {
      lines.push(line);
      line = "";
    }
    line += entry;
  }
  return line === "" ? [] : ["", ...lines, line];
}
