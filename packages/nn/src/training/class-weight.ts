/** @file Labels that count more or less than others. */
import { DataError } from "../errors.ts";
import type { TargetSpec } from "../losses/loss.ts";
import { isRecord } from "../schema/problems.ts";
import { Buffers } from "./buffers.ts";
import { type Column, elementsOf, type SampleArray, type Table } from "./source.ts";

/** How much a label counts, by label; 1 where it is left out. */
export type ClassWeight = Readonly<Record<number, number>>;

/** By output. @throws DataError for names that are no outputs, labels that are no classes, weights below 0 */
export function readClassWeights(
  given: ClassWeight | Readonly<Record<string, ClassWeight>>,
  targets: ReadonlyMap<string, TargetSpec>,
): ReadonlyMap<string, ClassWeight> {
  const isByOutput = Object.values(given).some(isRecord);
  const [only = ""] = targets.keys();
  if (!isByOutput && targets.size > 1)
    throw new DataError(
      `classWeight: expected weights by output, { ${[...targets.keys()].join(", ")} }, received one set`,
    );
  const byOutput = new Map<string, ClassWeight>(
    isByOutput ? Object.entries(given as Readonly<Record<string, ClassWeight>>) : [[only, given as ClassWeight]],
  );
  for (const [name, weights] of byOutput) {
    const target = targets.get(name);
    if (target === undefined)
      throw new DataError(`classWeight: no output is named "${name}"; outputs: ${[...targets.keys()].join(", ")}`);
    const classes = target.classes ?? Math.max(2, target.shape.at(-1) ?? 1);
    for (const [label, weight] of Object.entries(weights)) {
      if (!(Number(label) >= 0 && Number(label) < classes && Number.isInteger(Number(label))))
        throw new DataError(`classWeight: expected labels from 0 to ${classes - 1}, received ${label}`);
      if (!(Number(weight) >= 0 && Number(weight) < Number.POSITIVE_INFINITY))
        throw new DataError(`classWeight: expected weights from 0, received ${weight} for label ${label}`);
    }
  }
  return byOutput;
}

/** The label of an answer: itself, the place of the largest of several, or a yes or no. */
function labelAt(y: SampleArray, at: number, width: number): number {
  if (width === 1) return Math.round(y[at] ?? 0);
  let best = 0;
  for (let i = 1; i < width; i++) if ((y[at + i] ?? 0) > (y[at + best] ?? 0)) best = i;
  return best;
}

/** The table with weights of its labels, which multiply those of samples and answers where it has such. */
export function withClassWeights(table: Table, weights: ReadonlyMap<string, ClassWeight>): Table {
  const outputs = [...weights].flatMap(([name, byLabel]) => {
    const column = table.columns[`y/${name}`];
    if (column === undefined) return [];
    // a label is a whole number, or the last axis of several numbers
    const width = column.dtype === "int32" ? 1 : (column.shape.at(-1) ?? 1);
    const shape = column.dtype === "int32" ? column.shape : column.shape.slice(0, -1);
    return [{ y: `y/${name}`, weight: `weight/${name}`, width, shape, byLabel, own: table.columns[`weight/${name}`] }];
  });
  const added = outputs.map(({ weight, shape }): [string, Column] => [weight, { dtype: "float32", shape }]);
  const buffers = new Buffers();
  return {
    length: table.length,
    columns: { ...table.columns, ...Object.fromEntries(added) },
    async batch(indices, into) {
      const owned = Object.fromEntries(
        outputs.flatMap(({ weight, own }) => (own === undefined ? [] : [[weight, own]])),
      );
      const given = buffers.take(owned, indices.length);
      await table.batch(indices, { ...into, ...given });
      for (const { y, weight, width, shape, byLabel, own } of outputs) {
        const [labels, target, sample] = [into[y], into[weight], given[weight]];
        if (labels === undefined || target === undefined) continue;
        const perSample = elementsOf(shape);
        const perOwn = elementsOf(own?.shape ?? []);
        for (let i = 0; i < indices.length * perSample; i++) {
          const place = perOwn === perSample ? i : Math.floor(i / perSample);
          target[i] =
            (byLabel[labelAt(labels, i * width, width)] ?? 1) * (own === undefined ? 1 : (sample?.[place] ?? 1));
        }
      }
    },
  };
}
