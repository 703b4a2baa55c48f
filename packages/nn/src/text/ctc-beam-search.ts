import { DataError } from "../errors.ts";
import { type CtcReading, type CtcSample, type CtcScores, samplesOf } from "./ctc-scores.ts";

/** Settings of `ctcBeamSearch`. */
export interface BeamSearchOptions extends CtcReading {
  /** How many lists of labels are kept from time to time, 25. */
  readonly beamWidth?: number;
  /** How many lists are given, the likeliest first, 1. */
  readonly topPaths?: number;
  /** True (the default) when scores are logits, false when they are probabilities. */
  readonly fromLogits?: boolean;
}

/** A list of labels and how likely it is. */
export interface Spelling {
  readonly labels: readonly number[];
  /** Natural logarithm of the probability of all ways to spell it that the beam has kept. */
  readonly logProbability: number;
}

/** A list of labels on the way, as its last label and the list before it. */
interface Prefix {
  readonly label: number;
  readonly parent: Prefix | undefined;
  readonly children: Map<number, Prefix>;
  /** Logarithm of the probability of the ways that end in a blank, and of those that end in the label. */
  inBlank: number;
  inLabel: number;
  /** As above, one time later. */
  nextBlank: number;
  nextLabel: number;
}

const never = Number.NEGATIVE_INFINITY;

const logAdd = (a: number, b: number): number =>
  a < b ? logAdd(b, a) : b === never ? a : a + Math.log1p(Math.exp(b - a));

const prefix = (label: number, parent: Prefix | undefined): Prefix => ({
  label,
  parent,
  children: new Map(),
  inBlank: never,
  inLabel: never,
  nextBlank: never,
  nextLabel: never,
});

function childOf(parent: Prefix, label: number): Prefix {
  const known = parent.children.get(label);
  if (known !== undefined) return known;
  const child = prefix(label, parent);
  parent.children.set(label, child);
  return child;
}

const likelihood = ({ inBlank, inLabel }: Prefix): number => logAdd(inBlank, inLabel);

/** Logarithms of the probabilities at a time. */
function logsAt({ classes, at }: CtcSample, step: number, fromLogits: boolean): number[] {
  const scores = Array.from({ length: classes }, (_, label) => at(step, label));
  const logs = fromLogits ? scores : scores.map((value) => Math.log(value));
  const most = Math.max(...logs);
  const total = most + Math.log(logs.reduce((sum, value) => sum + Math.exp(value - most), 0));
  return logs.map((value) => value - total);
}

/** Hands the likelihood of a list on to what it may become in one time; what is touched goes into `reached`. */
function extend(from: Prefix, logs: readonly number[], blank: number, reached: Set<Prefix>): void {
  const all = likelihood(from);
  from.nextBlank = logAdd(from.nextBlank, all + (logs[blank] ?? never));
  if (from.label !== blank) from.nextLabel = logAdd(from.nextLabel, from.inLabel + (logs[from.label] ?? never));
  reached.add(from);
  for (const [label, log] of logs.entries()) {
    if (label === blank || log === never) continue;
    // the same label again is a new one only behind a blank
    const start = label === from.label ? from.inBlank : all;
    if (start === never) continue;
    const child = childOf(from, label);
    child.nextLabel = logAdd(child.nextLabel, start + log);
    reached.add(child);
  }
}

function search(sample: CtcSample, beamWidth: number, fromLogits: boolean): Prefix[] {
  const root = prefix(sample.blank, undefined);
  root.inBlank = 0;
  let beam = [root];
  for (let step = 0; step < sample.steps; step++) {
    const logs = logsAt(sample, step, fromLogits);
    const reached = new Set<Prefix>();
    for (const one of beam) extend(one, logs, sample.blank, reached);
    for (const one of reached) {
      [one.inBlank, one.inLabel] = [one.nextBlank, one.nextLabel];
      [one.nextBlank, one.nextLabel] = [never, never];
    }
    const kept = [...reached].sort((a, b) => likelihood(b) - likelihood(a));
    for (const lost of kept.splice(beamWidth)) [lost.inBlank, lost.inLabel] = [never, never];
    beam = kept;
  }
  return beam;
}

function labelsOf(last: Prefix): number[] {
  const labels: number[] = [];
  for (let one = last; one.parent !== undefined; one = one.parent) labels.push(one.label);
  return labels.reverse();
}

/**
 * The likeliest lists of labels, all ways to spell each of them together, by a search that keeps the `beamWidth` likeliest
 * from time to time.
 *
 * - `scores`: [batch, time, classes], logits, or probabilities with `fromLogits` false. Gives up to `topPaths` lists for
 *   each sample, the likeliest first.
 * - Complexity: time * beamWidth * classes for each sample.
 * - Source: Graves and Jaitly 2014, "Towards end-to-end speech recognition", and Hannun and others 2014, arXiv:1408.2873.
 * @throws DataError when shape, numbers and lengths do not fit together, or a setting is out of range.
 */
export function ctcBeamSearch(scores: CtcScores, options: BeamSearchOptions = {}): Spelling[][] {
  const { beamWidth = 25, topPaths = 1, fromLogits = true } = options;
  if (!Number.isInteger(beamWidth) || beamWidth < 1)
    throw new DataError(`beamWidth: expected a whole number from 1, received ${beamWidth}`);
  if (!Number.isInteger(topPaths) || topPaths < 1 || topPaths > beamWidth)
    throw new DataError(`topPaths: expected a whole number from 1 to beamWidth ${beamWidth}, received ${topPaths}`);
  return samplesOf(scores, options).map((sample) =>
    search(sample, beamWidth, fromLogits)
      .slice(0, topPaths)
      .map((one) => ({ labels: labelsOf(one), logProbability: likelihood(one) })),
  );
}
