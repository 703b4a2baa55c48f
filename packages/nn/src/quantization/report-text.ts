import type { Comparison } from "./compare.ts";
import type { QuantizationReport, SizeChange } from "./quantize.ts";

type Row = readonly string[];

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

const sizeRow = (what: string, { before, after }: SizeChange): Row => [
  what,
  kilobytes(before),
  kilobytes(after),
  before === 0 ? "" : `${((100 * after) / before).toFixed(0)} %`,
];

/** Four significant digits, and no more zeros than that. */
const number = (value: number): string => String(Number(value.toPrecision(4)));
const signed = (value: number): string => (value > 0 ? `+${number(value)}` : number(value));

function scoreRows({ float, quantized, difference }: Comparison): Row[] {
  const of = (scores: Comparison["float"], name: string): number =>
    name === "loss" ? scores.loss : (scores.metrics[name] ?? Number.NaN);
  return Object.entries(difference).map(([name, apart]) => [
    name,
    number(of(float, name)),
    number(of(quantized, name)),
    signed(apart),
  ]);
}

/** Columns side by side, numbers to the right. */
function aligned(rows: readonly Row[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** A report of `quantize` as text for people: sizes, scores side by side, and what stayed as it was. */
export function quantizationText(report: QuantizationReport): string {
  const { mode, bits, fileBytes, weightBytes, quantized, left, comparison } = report;
  const rows: Row[] = [
    ["", "float", "quantized", "change"],
    ...(fileBytes === undefined ? [] : [sizeRow("file", fileBytes)]),
    sizeRow("weights", weightBytes),
    ...(comparison === undefined ? [] : scoreRows(comparison)),
  ];
  const answers = Object.entries(comparison?.answers ?? {}).map(
    ([name, { largest, relative }]) =>
      `${name}: answers at most ${number(largest)} apart, ${number(100 * relative)} % of their size on the whole`,
  );
  const kept = left.map(({ node, operator, reason }) => `  ${node} (${operator}): ${reason}`);
  return [
    `${mode}, ${bits} bits: ${counted(quantized.length, "node")} quantized, ${left.length} left${comparison === undefined ? "" : `; compared on ${counted(comparison.samples, "sample")}`}`,
    "",
    ...aligned(rows),
    ...(answers.length === 0 ? [] : ["", ...answers]),
    ...(kept.length === 0 ? [] : ["", "left as they are:", ...kept]),
  ].join("\n");
}
