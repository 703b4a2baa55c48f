/** @file Which names are meant: a list of patterns with `*`, of which the last that fits decides; "!" takes names away. */

/** The patterns that mean every name. */
export const everything: readonly string[] = ["*"];

/** "conv*.weight" as what tests a name. */
const test = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*+/g, ".*")}$`);

/** True for the names that the patterns mean: ["*", "!*.bias"] is all but biases. An empty list means none. */
export function namesOf(patterns: readonly string[]): (name: string) => boolean {
  const rules = patterns.map((pattern) =>
    pattern.startsWith("!") ? { keeps: false, fits: test(pattern.slice(1)) } : { keeps: true, fits: test(pattern) },
  );
  return (name) => rules.findLast(({ fits }) => fits.test(name))?.keeps ?? false;
}

/** Patterns that fit none of the names: most are typing errors, of which "!" ones would let train what should not. */
export const unusedPatterns = (patterns: readonly string[], names: readonly string[]): readonly string[] =>
  patterns.filter((pattern) => {
    const fits = test(pattern.replace(/^!/, ""));
    return pattern !== "*" && !names.some((name) => fits.test(name));
  });
