import { DataError } from "../errors.ts";

/**
 * Levenshtein's distance: fewest insertions, deletions and replacements that turn one list into the other.
 * A string is a list of its code points. Elements are compared by ===. Complexity: product of the lengths in time, the
 * shorter one in memory.
 */
export function editDistance(a: string | readonly unknown[], b: string | readonly unknown[]): number {
  const [first, second] = [Array.from(a), Array.from(b)];
  const [long, short] = first.length >= second.length ? [first, second] : [second, first];
  let row = Array.from({ length: short.length + 1 }, (_, j) => j);
  for (const [i, one] of long.entries()) {
    const next = [i + 1];
    for (const [j, other] of short.entries())
      next.push(Math.min((row[j] ?? 0) + (one === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** All edits of all texts over the length of all references; a text without any length counts its edits as infinitely many. */
function errorRate(
  references: readonly string[],
  hypotheses: readonly string[],
  parts: (text: string) => readonly string[],
): number {
  if (references.length !== hypotheses.length)
    throw new DataError(
      `error rate: expected a hypothesis for each of ${references.length} references, received ${hypotheses.length}`,
    );
  let [edits, length] = [0, 0];
  for (const [i, reference] of references.entries()) {
    const expected = parts(reference);
    edits += editDistance(expected, parts(hypotheses[i] ?? ""));
    length += expected.length;
  }
  return edits === 0 ? 0 : edits / length;
}

/**
 * Word error rate: edits of words over words of the references, all texts together. 0 is perfect; above 1 when much is
 * inserted, Infinity when the references have no word. Words are what stands between spaces; case and marks count.
 * @throws DataError when there are not as many hypotheses as references.
 */
export const wordErrorRate = (references: readonly string[], hypotheses: readonly string[]): number =>
  errorRate(references, hypotheses, (text) => text.split(/\s+/u).filter((word) => word !== ""));

/** Character error rate: as `wordErrorRate`, of code points, spaces among them. @throws DataError */
export const characterErrorRate = (references: readonly string[], hypotheses: readonly string[]): number =>
  errorRate(references, hypotheses, (text) => Array.from(text));
