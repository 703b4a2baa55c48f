/** @file What a derived size such as "floor((n5-3)/2)+1" is, once the names have sizes. */
import type { Dim } from "../../shape.ts";

const functions: Readonly<Record<string, (...numbers: number[]) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  max: Math.max,
  min: Math.min,
  // one of the two is 1, or both are equal
  broadcast: Math.max,
};

/** The number; undefined when a name in it has no size (one that only the run tells). */
export function evaluate(dim: Dim, sizes: ReadonlyMap<string, number>): number | undefined {
  if (typeof dim === "number") return dim;
  const tokens = dim.match(/\d+(?![\w.])|[A-Za-z_][\w./]*|[-+*/(),]/g) ?? [];
  let at = 0;
  let known = true;
  const sum = (): number => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-") value += tokens[at++] === "+" ? product() : -product();
    return value;
  };
  const product = (): number => {
    let value = term();
    while (tokens[at] === "*" || tokens[at] === "/") {
      const times = tokens[at++] === "*";
      const next = term();
      value = times ? value * next : value / next;
    }
    return value;
  };
  const term = (): number => {
    const token = tokens[at++] ?? "";
    if (token === "-") return -term();
    if (token === "(") {
      const value = sum();
      at++;
      return value;
    }
    if (/^\d/.test(token)) return Number(token);
    const call = functions[token];
    if (call !== undefined && tokens[at] === "(") {
      const numbers: number[] = [];
      do {
        at++;
        numbers.push(sum());
      } while (tokens[at] === ",");
      at++;
      return call(...numbers);
    }
    const size = sizes.get(token);
    known &&= size !== undefined;
    return size ?? Number.NaN;
  };
  const value = sum();
  if (at !== tokens.length) throw new Error(`cannot read the size "${dim}"`);
  return known ? value : undefined;
}
