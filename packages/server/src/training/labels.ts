/** @file How a record's class number becomes what the loss compares with. Pure. */

/**
 * - `index`: the class number, int32 [].
 * - `one-hot`: float32 [classes], 1 at the class.
 * - `binary`: float32 [1], 0 or 1, for two classes.
 */
export type LabelEncoding = "index" | "one-hot" | "binary";

/** The encoding that fits a loss and a model's output, or what is wrong with the output: expected and received. */
export function labelEncoding(
  loss: string,
  outputShape: readonly (number | null)[],
  classes: number,
): { readonly encoding: LabelEncoding } | { readonly problem: string } {
  const isOnePerClass = outputShape.length === 1 && outputShape[0] === classes && classes > 1;
  // Losses that begin with "sparse" compare with class numbers, the others with rows as long as the output.
  if (isOnePerClass) return { encoding: loss.startsWith("sparse") ? "index" : "one-hot" };
  if (loss === "binaryCrossentropy" && outputShape.join() === "1" && classes === 2) return { encoding: "binary" };
  const expected = `[${classes}], one output for each of the dataset's ${classes} classes`;
  return { problem: `expected the last layer's output to be ${expected}, received [${outputShape.join(", ")}]` };
}
