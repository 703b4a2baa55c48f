/** @file The table of the training benchmark: a line for each model, batch size and number of threads. */
import type { Measurement } from "./measurement.ts";

/** One line's figures. */
export interface Line {
  readonly model: string;
  readonly batch: number;
  readonly threads: number;
  readonly floorMs: number;
  readonly own: Measurement | undefined;
  readonly peers: readonly Measurement[];
  /** Why something of this line is missing. */
  readonly notes: readonly string[];
}

/** A peer whose products are slower than this share of ours was built without a BLAS: its times say nothing. */
const leastGemmShare = 0.5;

/** Peers that may be compared with. */
export const fairPeers = ({ own, peers }: Line): readonly Measurement[] =>
  own === undefined ? [] : peers.filter(({ gemmGflops }) => gemmGflops >= leastGemmShare * own.gemmGflops);

/** Why peers were refused. */
export const refusals = (line: Line): string[] =>
  line.peers
    .filter((peer) => line.own !== undefined && !fairPeers(line).includes(peer))
    .map(
      ({ library, gemmGflops }) =>
        `${line.model}, batch ${line.batch}, ${line.threads} threads: no ratio to ${library}, which multiplies matrices at ${gemmGflops.toFixed(0)} GFLOP/s, ours at ${line.own?.gemmGflops.toFixed(0)}`,
    );

const none = "-";
const milliseconds = (value: number | undefined): string =>
  value === undefined ? none : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const mebibytes = (value: number | undefined): string => (value === undefined ? none : (value / 2 ** 20).toFixed(0));

const best = (values: readonly number[]): number | undefined => (values.length === 0 ? undefined : Math.min(...values));
const ratio = (own: number | undefined, peer: number | undefined): string =>
  own === undefined || peer === undefined ? none : (own / peer).toFixed(2);

type Column = readonly [head: string, cell: (line: Line) => string];

const peerColumns = (libraries: readonly string[], cell: (found: Measurement | undefined) => string): Column[] =>
  libraries.map((library): Column => [library, ({ peers }) => cell(peers.find((peer) => peer.library === library))]);

/** Aligned text. Ratios are ours to the better peer's: below 1 we are faster, or smaller. */
export function table(lines: readonly Line[], libraries: readonly string[]): string {
  const columns: Column[] = [
    ["model", ({ model }) => model],
    ["batch", ({ batch }) => String(batch)],
    ["threads", ({ threads }) => String(threads)],
    ["ms a step", ({ own }) => milliseconds(own?.msPerStep)],
    ...peerColumns(libraries, (found) => milliseconds(found?.msPerStep)),
    ["ratio", (line) => ratio(line.own?.msPerStep, best(fairPeers(line).map(({ msPerStep }) => msPerStep)))],
    ["floor", ({ floorMs }) => milliseconds(floorMs)],
    [
      "above it",
      ({ own, floorMs }) =>
        own === undefined ? none : `${Math.max(0, 100 * (1 - floorMs / own.msPerStep)).toFixed(0)} %`,
    ],
    ["peak MiB", ({ own }) => mebibytes(own?.peakBytes)],
    ...peerColumns(libraries, (found) => mebibytes(found?.peakBytes)),
    ["ratio", (line) => ratio(line.own?.peakBytes, best(line.peers.map(({ peakBytes }) => peakBytes)))],
    ["of which training", ({ own }) => mebibytes(own && own.peakBytes - own.idleBytes)],
    ...peerColumns(libraries, (found) => mebibytes(found && found.peakBytes - found.idleBytes)),
  ];
  const rows = [columns.map(([head]) => head), ...lines.map((line) => columns.map(([, cell]) => cell(line)))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
    )
    .join("\n");
}
