/** @file Curves of a training: loss and metrics against epochs or steps. */
import { type Axis, linearAxis, logAxis } from "./axis.ts";
import { colorCount, place, svgDocument, svgText } from "./document.ts";
import { curveClasses, drawLegendItem, legendRowHeight, legendRows } from "./legend.ts";
import { shortened, textWidth } from "./text.ts";
import { type Point, visiblePoints } from "./visible-points.ts";

/** A curve. */
export interface Curve {
  readonly name: string;
  /** NaN and infinity (and what is beyond 1e300) leave a gap. */
  readonly y: ArrayLike<number>;
  /** Rising; 1, 2, 3 ... when not said (epochs). */
  readonly x?: ArrayLike<number>;
  readonly isDashed?: boolean;
}

/** How to draw curves. */
export interface CurvePlotOptions {
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** "log" leaves values of 0 and less out. */
  readonly xScale?: Scale;
  readonly yScale?: Scale;
  /** Pixels, at least 240 x 160; 720 x 400 when not said. */
  readonly width?: number;
  readonly height?: number;
}

type Scale = "linear" | "log";

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const margin = 20;
/** Beyond, axes would have infinite ends. */
const largest = 1e300;

/** An SVG file that shows curves, with axes at round numbers and a legend, by day and by night. Curves may be empty. */
export function curvePlot(curves: readonly Curve[], options: CurvePlotOptions = {}): string {
  const { title = "", xLabel = "", yLabel = "", xScale = "linear", yScale = "linear" } = options;
  const width = Math.max(240, options.width ?? 720);
  const height = Math.max(160, options.height ?? 400);
  const inner = width - 2 * margin;
  const legend = legendRows(curves, margin, inner);
  const legendTop = 24 + (title === "" ? 0 : 24);
  const top = legendTop - 6 + (legend.length === 0 ? 0 : legend.length * legendRowHeight + 10);
  const bottom = height - (xLabel === "" ? 34 : 54);
  const { x: xRange, y: yRange } = rangesOf(curves, xScale, yScale);
  const yAxis = axisOf(yRange, yScale, Math.max(2, Math.round((bottom - top) / 38)));
  const labelWidth = Math.max(...yAxis.ticks.map(({ label }) => textWidth(label, 11)));
  const left = margin + (yLabel === "" ? 0 : 22) + labelWidth + 8;
  const frame: Frame = { left, right: width - 24, top, bottom };
  const isWhole = curves.every(({ x }) => x === undefined || Array.prototype.every.call(x, Number.isInteger));
  const columns = Math.max(2, Math.round((frame.right - left) / 80));
  const xAxis = axisOf(xRange, xScale, columns, { isRounded: false, isWhole });
  const [middle, center] = [(left + frame.right) / 2, (top + bottom) / 2];
  const soft = { classes: "label soft", anchor: "middle" } as const;
  return svgDocument(title || curves.map(({ name }) => name).join(", ") || "curves", width, height, [
    svgText(shortened(title, 17, inner), { x: margin, y: 28, classes: "title ink", whole: title }),
    ...legend.flatMap((row, i) => row.map((item) => drawLegendItem(item, legendTop + i * legendRowHeight, inner))),
    ...(yRange === undefined
      ? [svgText("nothing to show", { x: middle, y: center, ...soft })]
      : drawAxes(xAxis, yAxis, frame)),
    svgText(xLabel, { x: middle, y: height - 14, ...soft }),
    svgText(yLabel, { x: 24, y: center, turn: -90, ...soft }),
    ...curves.map((curve, i) => {
      const pointAt = (at: number): Point | undefined => {
        const [x, y] = valuesOf(curve, at);
        if (!isShown(x, xScale) || !isShown(y, yScale)) return undefined;
        return { x: toX(xAxis, frame, x), y: toY(yAxis, frame, y) };
      };
      return drawCurve(visiblePoints(curve.y.length, pointAt), curveClasses(i, curve.isDashed), i % colorCount);
    }),
  ]);
}

const valuesOf = ({ x, y }: Curve, at: number): readonly [x: number, y: number] => [
  x === undefined ? at + 1 : (x[at] ?? Number.NaN),
  y[at] ?? Number.NaN,
];

const isShown = (value: number, scale: Scale): boolean =>
  Math.abs(value) <= largest && (scale === "linear" || value >= 1 / largest);

type Range = readonly [least: number, most: number] | undefined;

const widened = (range: Range, value: number): Range =>
  range === undefined ? [value, value] : [Math.min(range[0], value), Math.max(range[1], value)];

/** From the least to the most shown value; nothing when none is shown. */
function rangesOf(curves: readonly Curve[], xScale: Scale, yScale: Scale): { x: Range; y: Range } {
  let [xRange, yRange]: [Range, Range] = [undefined, undefined];
  for (const curve of curves)
    for (let i = 0; i < curve.y.length; i++) {
      const [x, y] = valuesOf(curve, i);
      if (!isShown(x, xScale) || !isShown(y, yScale)) continue;
      xRange = widened(xRange, x);
      yRange = widened(yRange, y);
    }
  return { x: xRange, y: yRange };
}

function axisOf(
  range: Range,
  scale: Scale,
  most: number,
  options: { isRounded?: boolean; isWhole?: boolean } = {},
): Axis {
  if (range === undefined) return linearAxis(0, 1, most);
  return scale === "log" ? logAxis(...range, most) : linearAxis(...range, most, options);
}

const toX = (axis: Axis, { left, right }: Frame, value: number): number => left + axis.share(value) * (right - left);
const toY = (axis: Axis, { top, bottom }: Frame, value: number): number => bottom - axis.share(value) * (bottom - top);

function drawAxes(xAxis: Axis, yAxis: Axis, frame: Frame): string[] {
  const { left, right, bottom } = frame;
  const rows = yAxis.ticks.flatMap(({ value, label }) => {
    const y = toY(yAxis, frame, value);
    return [
      `<path class="grid" d="M${place(left)} ${place(y)}H${place(right)}"/>`,
      svgText(label, { x: left - 8, y: y + 4, classes: "small soft", anchor: "end" }),
    ];
  });
  const columns = xAxis.ticks.flatMap(({ value, label }) => {
    const x = toX(xAxis, frame, value);
    return [
      `<path class="axis" d="M${place(x)} ${place(bottom)}v4"/>`,
      svgText(label, { x, y: bottom + 18, classes: "small soft", anchor: "middle" }),
    ];
  });
  return [...rows, ...columns, `<path class="axis" d="M${place(left)} ${place(bottom)}H${place(right)}"/>`];
}

/** Lines, and dots where a point stands alone. */
function drawCurve(pieces: readonly (readonly Point[])[], classes: string, color: number): string {
  const at = ({ x, y }: Point): string => `${place(x)} ${place(y)}`;
  const lines = pieces.filter(({ length }) => length > 1).map((piece) => `M${piece.map(at).join("L")}`);
  const dots = pieces
    .flatMap((piece) => (piece.length === 1 ? piece : []))
    .map(({ x, y }) => `<circle class="f${color}" cx="${place(x)}" cy="${place(y)}" r="2.6"/>`);
  return (lines.length === 0 ? "" : `<path class="${classes}" d="${lines.join("")}"/>`) + dots.join("");
}
