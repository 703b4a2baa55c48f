/** @file Scores to labels. */

/** One class and how sure the model is of it. */
export interface Label {
  readonly label: string;
  readonly index: number;
  readonly score: number;
}

/** The `top` classes with the highest scores, best first; equal scores keep the order of the classes. A class without a name is its number. */
export function bestLabels(scores: Float32Array, classNames: readonly string[], top: number): readonly Label[] {
  return Array.from(scores, (score, index) => ({ label: classNames[index] ?? String(index), index, score }))
    .sort((a, b) => b.score - a.score)
    .slice(0, top);
}
