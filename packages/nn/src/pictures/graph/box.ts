/** @file One box: its size, and how it is drawn. */
import { place, svgText } from "../document.ts";
import { shortened, textWidth } from "../text.ts";
import type { PictureNode } from "./description.ts";

/** A rectangle by its middle and sizes, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const padding = 14;
const lineHeight = 16;
const between = 18; // least room between a name and its value
const [narrowest, widest] = [132, 340];

/** One width for all boxes: they form columns, and values end at one line. */
export function boxWidth(nodes: readonly PictureNode[]): number {
  const needed = nodes.flatMap(({ title, subtitle = "", lines = [] }) => [
    textWidth(title, 14.5), // 13 pixels, semi-bold
    textWidth(subtitle, 11),
    ...lines.map((line) =>
      typeof line === "string" ? textWidth(line, 11) : textWidth(line[0], 11) + between + textWidth(line[1], 11),
    ),
  ]);
  return Math.min(
    widest,
    Math.max(narrowest, needed.reduce((most, width) => Math.max(most, width), 0) + 2 * padding + 4),
  );
}

/** Height of a box. */
export const boxHeight = ({ subtitle, lines = [] }: PictureNode): number =>
  34 + (subtitle === undefined ? 0 : 15) + (lines.length === 0 ? 0 : 5 + lines.length * lineHeight);

/** Draws a box. `color` is that of its kind. */
export function drawBox(node: PictureNode, { x, y, width, height }: Box, color: number): string[] {
  const [left, top] = [x - width / 2, y - height / 2];
  const inner = width - 2 * padding - 4;
  const start = left + padding + 4;
  const end = left + width - padding;
  const { title, subtitle, lines = [] } = node;
  const first = top + 38 + (subtitle === undefined ? 0 : 15) + 5;
  return [
    `<rect class="box" x="${place(left)}" y="${place(top)}" width="${place(width)}" height="${place(height)}" rx="7"/>`,
    // the left edge in the colour of the kind, within the rounded corners
    `<path class="f${color}" d="M${place(left + 7)} ${place(top)}a7 7 0 0 0 -7 7v${place(height - 14)}a7 7 0 0 0 7 7h-2.5v${place(-height)}z"/>`,
    svgText(shortened(title, 14.5, inner), { x: start, y: top + 22, classes: "name ink", whole: title }),
    ...(subtitle === undefined
      ? []
      : [svgText(shortened(subtitle, 11, inner), { x: start, y: top + 38, classes: "small soft", whole: subtitle })]),
    ...lines.flatMap((line, i) => drawLine(line, first + i * lineHeight, { start, end, inner })),
  ];
}

function drawLine(
  line: string | readonly [string, string],
  y: number,
  { start, end, inner }: { start: number; end: number; inner: number },
): string[] {
  if (typeof line === "string")
    return [svgText(shortened(line, 11, inner), { x: start, y, classes: "small soft", whole: line })];
  const [name, value] = line;
  const shown = shortened(value, 11, Math.max(inner * 0.6, inner - between - textWidth(name, 11)));
  const room = inner - between - textWidth(shown, 11);
  return [
    svgText(shortened(name, 11, room), { x: start, y, classes: "small soft", whole: name }),
    svgText(shown, { x: end, y, classes: "small ink", anchor: "end", whole: value }),
  ];
}
