/** @file The gradient of Einsum: an Einsum of dy and the other inputs, with the letters of the input as its result. */
import type { Value } from "@gristmill/onnx";
import { sizesOf } from "../../graph/graph-math.ts";
import { unitMatrix } from "../along-axis.ts";
import { sumTo } from "../broadcast.ts";
import type { GradientCall, GradientRule } from "../rule.ts";

/** An equation with every axis named by one letter: "..." is written out. */
interface Equation {
  readonly terms: readonly (readonly string[])[];
  readonly result: readonly string[];
  readonly sizes: ReadonlyMap<string, number>;
}

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const dots = "...";
const lettersOf = (term: string): string[] => term.match(/\.\.\.|[A-Za-z]/g) ?? [];

/** Hands out letters that an equation does not use. */
function freeLetters(call: GradientCall, equation: string): () => string {
  const free = [...alphabet].filter((letter) => !equation.includes(letter)).values();
  return () => {
    const { value } = free.next();
    if (value === undefined) throw call.unsupported("the equation and its gradient need more than 52 letters");
    return value;
  };
}

/** Without an arrow, the result has "..." and the letters that occur once, in alphabetical order. */
function impliedResult(terms: readonly (readonly string[])[]): string[] {
  const all = terms.flat();
  const once = all.filter((letter) => letter !== dots && all.indexOf(letter) === all.lastIndexOf(letter));
  return [...(all.includes(dots) ? [dots] : []), ...once.sort()];
}

function parseEquation(call: GradientCall<"Einsum">, fresh: () => string): Equation {
  const [left = "", right] = call.settings.equation.replaceAll(" ", "").split("->");
  const terms = left.split(",").map(lettersOf);
  const result = right === undefined ? impliedResult(terms) : lettersOf(right);
  const covered = (term: readonly string[], i: number): number =>
    term.includes(dots) ? call.input(i).shape.length - term.length + 1 : 0;
  const names = Array.from({ length: Math.max(0, ...terms.map(covered)) }, fresh);
  // axes under "..." are aligned at their last one
  const written = (term: readonly string[], count: number): string[] =>
    term.flatMap((letter) => (letter === dots ? names.slice(names.length - count) : [letter]));
  const spelled = terms.map((term, i) => written(term, covered(term, i)));
  const sizes = new Map<string, number>();
  spelled.forEach((term, i) => {
    const axes = sizesOf(call.input(i));
    term.forEach((letter, axis) => void sizes.set(letter, Math.max(sizes.get(letter) ?? 1, axes[axis] ?? 1)));
  });
  return { terms: spelled, result: written(result, names.length), sizes };
}

/**
 * The gradient of one input. A letter that is in no other term was summed away: a vector of ones brings it back. A letter
 * that the term has twice took a diagonal: the second one gets a letter of its own, tied to the first by a unit matrix.
 */
function gradientOf(call: GradientCall<"Einsum">, equation: Equation, index: number, fresh: () => string): Value {
  const { math, dy } = call;
  const { terms, result, sizes } = equation;
  const factors: { letters: readonly string[]; value: Value }[] = [{ letters: result, value: dy }];
  terms.forEach((letters, i) => {
    if (i !== index) factors.push({ letters, value: call.input(i) });
  });
  const seen = new Set<string>();
  const wished = (terms[index] ?? []).map((letter) => {
    const size = sizes.get(letter) ?? 1;
    if (seen.has(letter)) {
      const twin = fresh();
      factors.push({ letters: [letter, twin], value: unitMatrix(math, size, dy) });
      return twin;
    }
    seen.add(letter);
    if (!factors.some(({ letters }) => letters.includes(letter)))
      factors.push({ letters: [letter], value: math.filled([size], 1, dy.dtype) });
    return letter;
  });
  const left = factors.map(({ letters }) => letters.join("")).join(",");
  const values = factors.map(({ value }) => value);
  const full = math.builder.op("Einsum", values, { equation: `${left}->${wished.join("")}` });
  return sumTo(math, full, call.input(index)); // an axis of size 1 stood for all of the others' sizes
}

/** Rule of Einsum. */
export const einsum: GradientRule<"Einsum"> = (call) => {
  const fresh = freeLetters(call, call.settings.equation);
  const equation = parseEquation(call, fresh);
  return call.node.inputs.map((_, i) => (call.needs(i) ? gradientOf(call, equation, i, fresh) : undefined));
};
