/** @file "Did you mean": the known word nearest to a mistyped one. */

/** Edits (insert, delete, replace) that turn one word into the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Letters and digits only, lower case: "max_pooling_2d" and "maxPooling2D" are the same word mistyped. */
const plain = (word: string): string => word.toLowerCase().replace(/[^a-z0-9]/g, "");

/** ` (did you mean "dense"?)`, or nothing when no known word is near. */
export function suggestion(word: string, known: readonly string[]): string {
  const typed = plain(word.slice(0, 64));
  let best: { word: string; edits: number } | undefined;
  for (const candidate of known) {
    const edits = distance(typed, plain(candidate));
    if (best === undefined || edits < best.edits) best = { word: candidate, edits };
  }
  const near = best !== undefined && best.edits <= Math.max(2, Math.floor(typed.length / 3));
  return near && best !== undefined ? ` (did you mean "${best.word}"?)` : "";
}
