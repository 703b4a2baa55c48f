/** @file How a record's class number becomes what the loss compares with. Pure. */

/**
 * - `index`: the class number, int32 [].
 * - `one-hot`: float32 [classes], 1 at the class.
 * - `binary`: float32 [1], 0 or 1, for two classes.
 */
export type LabelEncoding = "index" | "one-hot" | "binary";

/** What a loss wants to be told, for a model's output. */
export interface Target {
  readonly dtype: string;
  /** Sizes of one record's answer. */
  readonly shape: readonly number[];
  /** Class numbers stay below this. */
  readonly classes?: number;
}

/** The encoding that fits, or what is wrong with the model's output: expected and received. */
export function labelEncoding(
  target: Target,
  outputShape: readonly number[],
  classes: number,
): { readonly encoding: LabelEncoding } | { readonly problem: string } {
  const [size, ...more] = target.shape;
  if (target.classes !== undefined && size === undefined && target.classes === classes) return { encoding: "index" };
  if (target.classes === undefined && more.length === 0) {
    if (size === classes && classes > 1) return { encoding: "one-hot" };
    if (size === 1 && classes === 2) return { encoding: "binary" };
  }
  const expected = `[${classes}], one output for each of the dataset's ${classes} classes`;
  return { problem: `expected the last layer's output to be ${expected}, received [${outputShape.join(", ")}]` };
}
