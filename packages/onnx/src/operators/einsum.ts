/** @file The shape of an Einsum: letters name axes; equal letters are equal sizes; what the right side drops is summed. */
import { type Dim, formatShape, type Shape } from "../shape.ts";
import type { Call } from "./operator.ts";
import { broadcast, unify } from "./rules.ts";

/** Longest equation that is read: far above any that people write, and far below one that takes seconds. */
const longestEquation = 10_000;

/** @throws ShapeError when the equation does not fit the inputs. */
export function einsumShape(call: Call, equation: string, shapes: readonly Shape[]): Shape {
  if (equation.length > longestEquation)
    throw call.shapeError(`an equation of at most ${longestEquation} characters`, `${equation.length}`);
  const text = equation.replaceAll(" ", "");
  const [left = "", right] = text.split("->");
  const terms = left.split(",");
  if (terms.length !== shapes.length)
    throw call.shapeError(`${terms.length} inputs for equation "${equation}"`, `${shapes.length}`);
  const sizes = new Map<string, Dim>();
  let dots: Shape = [];
  for (const [i, term] of terms.entries()) dots = broadcast(call, dots, bind(call, term, shapes[i] ?? [], sizes));
  const result = right ?? implicitResult(terms);
  return splitTerm(result).flatMap((letter): Shape => {
    if (letter === "...") return dots;
    const size = sizes.get(letter);
    if (size === undefined) throw call.shapeError(`the letters of "${left}" in the result`, `"${letter}"`);
    return [size];
  });
}

/** Gives a term's letters the sizes of its input; returns the axes that "..." stands for. */
function bind(call: Call, term: string, shape: Shape, sizes: Map<string, Dim>): Shape {
  const letters = splitTerm(term);
  const covered = shape.length - letters.filter((letter) => letter !== "...").length;
  if (covered < 0 || (covered > 0 && !letters.includes("...")))
    throw call.shapeError(`axes for the letters "${term}"`, formatShape(shape));
  let axis = 0;
  let dots: Shape = [];
  for (const letter of letters) {
    if (letter === "...") {
      dots = shape.slice(axis, axis + covered);
      axis += covered;
      continue;
    }
    const size = shape[axis++] ?? 1;
    const before = sizes.get(letter);
    sizes.set(
      letter,
      before === undefined || before === 1 ? size : size === 1 ? before : unify(call, before, size, `"${letter}"`),
    );
  }
  return dots;
}

const splitTerm = (term: string): string[] => term.match(/\.\.\.|[A-Za-z]/g) ?? [];

/** Without an arrow: "..." and the letters that occur once, in alphabetical order. */
function implicitResult(terms: readonly string[]): string {
  const letters = terms.flatMap(splitTerm);
  const once = letters.filter((letter) => letter !== "..." && letters.indexOf(letter) === letters.lastIndexOf(letter));
  return (letters.includes("...") ? "..." : "") + once.sort().join("");
}
