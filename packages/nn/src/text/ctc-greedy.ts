import { type CtcReading, type CtcSample, type CtcScores, samplesOf } from "./ctc-scores.ts";

function decode({ steps, classes, blank, at }: CtcSample): number[] {
  const labels: number[] = [];
  let before = blank;
  for (let step = 0; step < steps; step++) {
    let best = 0;
    for (let label = 1; label < classes; label++) if (at(step, label) > at(step, best)) best = label;
    if (best !== before && best !== blank) labels.push(best);
    before = best;
  }
  return labels;
}

/**
 * What the likeliest class at each time spells: repeats are one label, blanks are none. Fast, and not always the likeliest
 * list: many ways may spell another one (`ctcBeamSearch`).
 *
 * - `scores`: [batch, time, classes], probabilities or logits. Gives a list of labels for each sample.
 * - Of classes that tie the first is taken.
 * @throws DataError when shape, numbers and lengths do not fit together.
 */
export const ctcGreedyDecode = (scores: CtcScores, reading: CtcReading = {}): number[][] =>
  samplesOf(scores, reading).map(decode);
