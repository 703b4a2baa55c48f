/** @file Horizontal bars. Pure. */
import { stripVTControlCharacters } from "node:util";
import type { Paint } from "./paint.ts";

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar `share` (0 to 1) of `width` characters long, to an eighth of a character. */
export function bar(share: number, width: number): string {
  const filled = Math.round(Math.min(Math.max(share, 0), 1) * width * 8);
  return "█".repeat(Math.floor(filled / 8)) + (eighths[filled % 8] ?? "");
}

/** One line of a chart. */
export interface ChartLine {
  readonly label: string;
  /** Not negative; in any unit that all lines share. */
  readonly value: number;
  /** Shown behind the bar. */
  readonly text: string;
}

/** Characters that are seen: colours take none. */
export const widthOf = (text: string): number => [...stripVTControlCharacters(text)].length;

/** Fills up with spaces. */
export const padTo = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)));

/** A bar chart: labels, bars that share one scale, texts. @param columns the whole width. */
export function chart(lines: readonly ChartLine[], columns: number, paint: Paint): string {
  const labels = Math.max(0, ...lines.map(({ label }) => widthOf(label)));
  const texts = Math.max(0, ...lines.map(({ text }) => widthOf(text)));
  const width = Math.min(40, Math.max(8, columns - labels - texts - 6));
  const most = Math.max(...lines.map(({ value }) => value), 0);
  return lines
    .map(({ label, value, text }) => {
      // What is above nothing is seen, however small beside the largest.
      const share = most > 0 ? value / most : 0;
      const drawn = value > 0 ? bar(Math.max(share, 1 / (8 * width)), width) : "";
      return `  ${padTo(label, labels)}  ${paint("accent", padTo(drawn, width))}  ${text}`;
    })
    .join("\n");
}
