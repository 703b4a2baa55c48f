/** @file What is checked of every batch before it runs: labels that are classes, answers the loss makes sense of, tokens that are looked up. */
import { DataError } from "../errors.ts";
import type { TargetSpec } from "../losses/loss.ts";
import { type Column, columnsOf, elementsOf, named, type SampleArray, type Signature } from "./source.ts";

/** Numbers by column, [count, ...] each. */
type Rows = Readonly<Record<string, SampleArray>>;

/** Which sample of the data a row is, as messages say it: "[7]", or "[1] of batch 3". */
export type PlaceOf = (row: number) => string;

/** Soft answers that add up to 1 in float32 may be this far beyond. */
const rounding = 1e-5;

/** Checks batches of columns of one kind. */
export type BatchCheck = (rows: Rows, placeOf: PlaceOf) => void;

/** The check of a model's batches of these columns. It throws DataError naming the first number that is wrong, and its sample. */
export function batchCheck(
  columns: Readonly<Record<string, Column>>,
  shapes: readonly (readonly number[])[],
  signature: Signature,
): BatchCheck {
  const targets = signature.targets(shapes);
  const names = [...targets.keys()];
  const checks: BatchCheck[] = [...targets].flatMap(([name, target]) => {
    const column = `y/${name}`;
    const weight = columnsOf(columns, "weight").get(name);
    const perSample = elementsOf(target.shape);
    // weights are those of samples, or of losses: the last axis of numbers has one
    const perWeight = perSample / elementsOf(weight?.shape ?? []);
    const weightOf = (rows: Rows, at: number): number =>
      weight === undefined ? 1 : (rows[`weight/${name}`]?.[Math.floor(at / perWeight)] ?? 1);
    const isWrong = wrongAnswer(target);
    if (isWrong === undefined) return [];
    return [
      (rows, placeOf) => {
        const answers = rows[column] ?? [];
        for (let i = 0; i < answers.length; i++) {
          const answer = answers[i] ?? 0;
          if (!isWrong(answer)) continue;
          // what does not count may be anything, as long as the program can run on it
          if (target.range !== undefined && (weightOf(rows, i) === 0 || signature.masked(shapes).has(name))) continue;
          const what = named("y", name, names);
          throw new DataError(
            `${what}: expected ${expectedOf(target)}, received ${answer} at ${what}${placeOf(Math.floor(i / perSample))}${adviceOf(target)}`,
          );
        }
      },
    ];
  });
  return (rows, placeOf) => {
    for (const check of checks) check(rows, placeOf);
    checkTokens(rows, columns, signature, placeOf);
  };
}

/** True for answers that the loss makes no sense of; undefined where it takes all. */
function wrongAnswer({ classes, padding, range }: TargetSpec): ((answer: number) => boolean) | undefined {
  if (classes !== undefined) return (answer) => (answer < 0 || answer >= classes) && answer !== padding;
  if (range === undefined) return undefined;
  const [least, most] = range;
  // NaN is told where the loss shows it, with its place
  return (answer) => answer < least - rounding || answer > most + rounding;
}

const expectedOf = ({ classes, padding, range: [least, most] = [0, 0] }: TargetSpec): string =>
  classes === undefined
    ? `answers from ${least}${most === Number.POSITIVE_INFINITY ? "" : ` to ${most}`}, as the loss wants them`
    : `labels from 0 to ${classes - 1}${padding === undefined ? "" : ` (or ${padding} for none)`}`;

const adviceOf = ({ classes, range }: TargetSpec): string =>
  classes !== undefined
    ? `; the last layer has ${classes} outputs`
    : range?.[1] === 1
      ? "; change the answers, or use a loss for numbers such as meanSquaredError"
      : "";

/** @throws DataError for a number that an embedding has no row for; below 0 it would read another one in silence */
export function checkTokens(
  rows: Rows,
  columns: Readonly<Record<string, Column>>,
  { inputs, vocabularies }: Pick<Signature, "inputs" | "vocabularies">,
  placeOf: PlaceOf,
): void {
  const names = inputs.map(({ name }) => name);
  for (const [name, size] of vocabularies) {
    const column = columns[`x/${name}`];
    const tokens = rows[`x/${name}`];
    if (column === undefined || tokens === undefined) continue;
    const perSample = elementsOf(column.shape);
    const wrong = tokens.findIndex((token) => !(token >= 0 && token < size && Number.isInteger(token)));
    if (wrong < 0) continue;
    const what = named("x", name, names);
    throw new DataError(
      `${what}: expected whole numbers from 0 to ${size - 1}, as the embedding has ${size} rows, received ${tokens[wrong]} at ${what}${placeOf(Math.floor(wrong / perSample))}; make its inputDim larger, or number the words anew`,
    );
  }
}
