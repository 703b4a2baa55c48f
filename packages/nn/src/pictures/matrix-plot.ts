/** @file A confusion matrix: what was, against what a model said. */
import { NnError } from "../errors.ts";
import { grouped } from "./axis.ts";
import { place, svgDocument, svgText } from "./document.ts";
import { escapeXml, shortened, textWidth } from "./text.ts";

/** How to draw a matrix. */
export interface MatrixPlotOptions {
  readonly title?: string;
  /** What rows are; "actual" when not said. */
  readonly rowTitle?: string;
  /** What columns are; "predicted" when not said. */
  readonly columnTitle?: string;
}

interface Layout {
  readonly cell: number;
  readonly left: number;
  readonly top: number;
  /** Whether labels of columns stand upright, as there is no room for them otherwise. */
  readonly isTurned: boolean;
  /** Every how many-th label is written. */
  readonly every: number;
  /** Of the counts, all alike; undefined when there is no room for them. */
  readonly fontSize: number | undefined;
}

const labelSize = 12;
const longestLabel = 160;

/**
 * An SVG file of a confusion matrix: `counts[row][column]` samples of class `row` were taken for class `column`. The colour
 * is the share of its row; what is right is blue, what is wrong is orange. Beside each row its recall, below each column its
 * precision, in the corner the accuracy.
 * @throws NnError when there are not as many rows and columns as labels, or a count is no number from 0.
 */
export function matrixPlot(
  labels: readonly string[],
  counts: readonly ArrayLike<number>[],
  options: MatrixPlotOptions = {},
): string {
  checkCounts(labels, counts);
  const { title = "", rowTitle = "actual", columnTitle = "predicted" } = options;
  const layout = layoutOf(labels, counts, title !== "");
  const { cell, left, top } = layout;
  const size = labels.length * cell;
  const rows = counts.map((row) => Array.from(row));
  const rowSums = rows.map(sum);
  const columnSums = labels.map((_, column) => sum(rows.map((row) => row[column] ?? 0)));
  const right = labels.map((_, i) => rows[i]?.[i] ?? 0);
  const middle = (i: number): number => (i + 0.5) * cell;
  const isNoted = (i: number): boolean => i % layout.every === 0;
  const noted = labels.map((label, i) => ({ label, i })).filter(({ i }) => isNoted(i));
  const columnLabels = noted.map(({ label, i }) => {
    const [x, text] = [left + middle(i), shortened(label, labelSize, layout.isTurned ? longestLabel : cell - 6)];
    if (!layout.isTurned) return svgText(text, { x, y: top - 8, classes: "label ink", anchor: "middle", whole: label });
    return svgText(text, { x: x + 4, y: top - 8, classes: "label ink", turn: -90, whole: label });
  });
  return svgDocument(title || `${rowTitle} against ${columnTitle}`, left + size + 86, top + size + 54, [
    ...(title === ""
      ? []
      : [svgText(shortened(title, 17, left + size + 46), { x: 20, y: 28, classes: "title ink", whole: title })]),
    svgText(columnTitle, { x: left + size / 2, y: title === "" ? 24 : 52, classes: "label soft", anchor: "middle" }),
    svgText(rowTitle, { x: 26, y: top + size / 2, classes: "label soft", anchor: "middle", turn: -90 }),
    svgText("recall %", { x: left + size + 70, y: top - 8, classes: "small soft", anchor: "end" }),
    svgText("precision %", { x: left - 10, y: top + size + 20, classes: "small soft", anchor: "end" }),
    ...columnLabels,
    ...noted.flatMap(({ label, i }) => [
      svgText(shortened(label, labelSize, longestLabel), {
        x: left - 10,
        y: top + middle(i) + 4,
        classes: "label ink",
        anchor: "end",
        whole: label,
      }),
      svgText(share(right[i] ?? 0, rowSums[i] ?? 0), {
        x: left + size + 70,
        y: top + middle(i) + 4,
        classes: "small soft",
        anchor: "end",
      }),
      ...(cell * layout.every < 34
        ? []
        : [
            svgText(share(right[i] ?? 0, columnSums[i] ?? 0), {
              x: left + middle(i),
              y: top + size + 20,
              classes: "small soft",
              anchor: "middle",
            }),
          ]),
    ]),
    svgText(`${share(sum(right), sum(rowSums))}`, {
      x: left + size + 70,
      y: top + size + 20,
      classes: "small ink strong",
      anchor: "end",
    }),
    ...rows.flatMap((row, i) =>
      row.map((count, j) => drawCell(count, rowSums[i] ?? 0, { row: i, column: j }, { labels, layout })),
    ),
    `<rect class="axis" x="${place(left)}" y="${place(top)}" width="${place(size)}" height="${place(size)}" rx="2"/>`,
  ]);
}

/** In percent. 100.0 says that there is no mistake, so one in many thousands is 99.9, not rounded up. */
function share(part: number, whole: number): string {
  if (whole === 0) return "–";
  const rounded = Math.round((1000 * part) / whole) / 10;
  return (part < whole ? Math.min(rounded, 99.9) : rounded).toFixed(1);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function checkCounts(labels: readonly string[], counts: readonly ArrayLike<number>[]): void {
  const where = "matrixPlot";
  if (labels.length === 0) throw new NnError(`${where}: expected at least one label`);
  if (counts.length !== labels.length)
    throw new NnError(`${where}: expected ${labels.length} rows, one for each label, received ${counts.length}`);
  for (const [i, row] of counts.entries()) {
    if (row.length !== labels.length)
      throw new NnError(`${where}: expected ${labels.length} counts in row ${i}, received ${row.length}`);
    const wrong = Array.from(row).find((count) => !(count >= 0 && Number.isFinite(count)));
    if (wrong !== undefined) throw new NnError(`${where}: expected counts from 0 in row ${i}, received ${wrong}`);
  }
}

function layoutOf(labels: readonly string[], counts: readonly ArrayLike<number>[], hasTitle: boolean): Layout {
  const widest = Math.min(longestLabel, Math.max(...labels.map((label) => textWidth(label, labelSize))));
  const largest = counts.reduce((most, row) => Array.from(row).reduce((a, b) => Math.max(a, b), most), 0);
  const numberWidth = textWidth(grouped(String(largest)), 12);
  const wanted = Math.max(44, numberWidth + 16);
  const cell = Math.max(4, Math.min(wanted, Math.floor(720 / labels.length)));
  const isTurned = widest > cell - 8;
  const left = 44 + Math.max(widest, 76) + 10;
  const every = Math.ceil(16 / cell);
  const fit = Math.min(12, (12 * (cell - 6)) / numberWidth);
  const fontSize = fit < 8 ? undefined : fit;
  return { cell, left, isTurned, every, fontSize, top: (hasTitle ? 60 : 32) + (isTurned ? widest + 14 : 26) };
}

function drawCell(
  count: number,
  rowSum: number,
  { row, column }: { row: number; column: number },
  { labels, layout }: { labels: readonly string[]; layout: Layout },
): string {
  const { cell, left, top, fontSize } = layout;
  if (count === 0) return "";
  const share = count / rowSum;
  // few mistakes among many samples must still be seen
  const strength = row === column ? 0.12 + 0.88 * share : 0.1 + 0.9 * Math.sqrt(share);
  const gap = cell > 12 ? 1 : 0;
  const [x, y] = [left + column * cell, top + row * cell];
  const text = grouped(String(count));
  const said = `<title>${escapeXml(`${labels[row]} → ${labels[column]}: ${text}`)}</title>`;
  const box = `<rect class="${row === column ? "f0" : "f1"}" fill-opacity="${place(strength)}" x="${place(x + gap)}" y="${place(y + gap)}" width="${place(cell - 2 * gap)}" height="${place(cell - 2 * gap)}">${said}</rect>`;
  if (fontSize === undefined) return box;
  const ink = strength > 0.6 ? "on" : "ink";
  return `${box}<text class="${ink}" font-size="${place(fontSize)}" x="${place(x + cell / 2)}" y="${place(y + cell / 2 + fontSize * 0.35)}" text-anchor="middle">${text}</text>`;
}
