/** @file Names of curves, each behind a piece of its line. */
import { colorCount, place, svgText } from "./document.ts";
import { shortened, textWidth } from "./text.ts";

/** Height of a row of names. */
export const legendRowHeight = 20;

/** A name and where it stands. */
export interface LegendItem {
  readonly name: string;
  /** Of the curve, which tells its colour. */
  readonly index: number;
  readonly isDashed: boolean;
  readonly x: number;
}

const [lineRoom, nameGap, fontSize] = [27, 18, 12];

/** Names in as many rows as they need within a width; curves without a name have none. */
export function legendRows(
  curves: readonly { readonly name: string; readonly isDashed?: boolean }[],
  left: number,
  width: number,
): LegendItem[][] {
  const rows: LegendItem[][] = [];
  let x = 0;
  for (const [index, { name: whole, isDashed = false }] of curves.entries()) {
    if (whole === "") continue;
    const name = shortened(whole, fontSize, width - lineRoom);
    const room = lineRoom + textWidth(name, fontSize);
    if (rows.length === 0 || x + room > width) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1)?.push({ name: whole, index, isDashed, x: left + x });
    x += room + nameGap;
  }
  return rows;
}

/** Draws a name within a width. */
export function drawLegendItem({ name, index, isDashed, x }: LegendItem, y: number, width: number): string {
  const line = `<path class="${curveClasses(index, isDashed)}" d="M${place(x)} ${place(y)}h20"/>`;
  const shown = shortened(name, fontSize, width - lineRoom);
  return line + svgText(shown, { x: x + lineRoom, y: y + 4, classes: "label ink", whole: name });
}

/** How the line of a curve looks. */
export const curveClasses = (index: number, isDashed = false): string =>
  `curve c${index % colorCount}${isDashed ? " dashed" : ""}`;
