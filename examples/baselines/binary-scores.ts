/** Counts of right and wrong answers to a yes-or-no question, and the usual figures made of them. */
export interface BinaryScores {
  readonly accuracy: number;
  /** Of those called positive, the share that is; NaN when none is called so. */
  readonly precision: number;
  /** Of the positives, the share that is called so; NaN without positives. */
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
}

/** Scores of probabilities: those from 0.5 say yes. */
export function binaryScores(probabilities: ArrayLike<number>, isPositive: readonly boolean[]): BinaryScores {
  let [truePositives, falsePositives, falseNegatives, trueNegatives] = [0, 0, 0, 0];
  for (const [i, positive] of isPositive.entries()) {
    const saysYes = (probabilities[i] ?? Number.NaN) >= 0.5;
    if (saysYes && positive) truePositives += 1;
    else if (saysYes) falsePositives += 1;
    else if (positive) falseNegatives += 1;
    else trueNegatives += 1;
  }
  const precision = truePositives / (truePositives + falsePositives);
  const recall = truePositives / (truePositives + falseNegatives);
  return {
    accuracy: (truePositives + trueNegatives) / isPositive.length,
    precision,
    recall,
    f1: (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
    falsePositives,
    falseNegatives,
  };
}
