/** @file Labels that count more or less than others. */
import { DataError } from "../errors.ts";
import type { TargetSpec } from "../losses/loss.ts";
import { isRecord, shown } from "../schema/problems.ts";
import { Buffers } from "./buffers.ts";
import { type Column, elementsOf, lossShapeOf, type SampleArray, type Table } from "./source.ts";

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
    checkWeights(name, weights, target);
  }
  return byOutput;
}

/** How many labels an output has: of a loss that only compares them, any number. */
const labelCount = ({ dtype, classes, shape }: TargetSpec): number =>
  classes ?? (dtype === "int32" ? Number.POSITIVE_INFINITY : Math.max(2, shape.at(-1) ?? 1));

function checkWeights(name: string, weights: ClassWeight, target: TargetSpec): void {
  if (lossShapeOf(target).length === 0 && target.dtype === "int32" && target.shape.length > 0)
    throw new DataError(
      `classWeight: expected an output with a loss for each label, "${name}" has one for a whole list of them; use sampleWeight`,
    );
  const count = labelCount(target);
  for (const [label, weight] of Object.entries(weights)) {
    if (!(Number(label) >= 0 && Number(label) < count && Number.isInteger(Number(label))))
      throw new DataError(`classWeight: expected labels from 0 to ${count - 1}, received ${label}`);
    if (!(typeof weight === "number" && weight >= 0 && weight < Number.POSITIVE_INFINITY))
      throw new DataError(`classWeight: expected weights from 0, received ${shown(weight)} for label ${label}`);
  }
  const all = Object.values(weights);
  if (all.length === count && all.every((weight) => weight === 0))
    throw new DataError("classWeight: expected a weight above 0 for one label at least, received 0 for all");
}

/** The label of an answer: itself, the place of the largest of several, or a yes or no. */
function labelAt(y: SampleArray, at: number, width: number): number {
  if (width === 1) return Math.max(0, Math.round(y[at] ?? 0)); // a hinge's -1 is its 0
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
          const place = Math.floor((i * perOwn) / perSample); // own weights may leave last axes out
          target[i] =
            (byLabel[labelAt(labels, i * width, width)] ?? 1) * (own === undefined ? 1 : (sample?.[place] ?? 1));
        }
      }
    },
  };
}
