/**
 * @file Arithmetic on sizes that may be names. A size is a polynomial over names with whole coefficients, written the
 * same way each time ("batch*26", "width+2"), so that equal sizes have equal names. What a polynomial cannot say
 * (rounding, the larger of two) becomes a term of its own, such as "floor((width-3)/2)". Names stay short, whatever a
 * file from outside says: a longer one is replaced by a digest of itself, the same for the same text.
 */
import type { Dim, Shape } from "./shape.ts";

/** Longest name that is written out, and longest that is taken apart: it bounds the terms of every polynomial. */
const longestName = 200;

/** Coefficients by product of names; "" is the constant term. */
type Terms = ReadonlyMap<string, number>;

/** Sum of two sizes. */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const sum = new Map(parse(a));
  for (const [names, count] of parse(b)) sum.set(names, (sum.get(names) ?? 0) + count);
  return format(sum);
}

/** Product of sizes; 1 for none. */
export function multiplyDims(...dims: Shape): Dim {
  return dims.reduce<Dim>((a, b) => {
    if (typeof a === "number" && typeof b === "number") return a * b;
    if (a === 1) return b;
    if (b === 1) return a;
    const product = new Map<string, number>();
    for (const [left, m] of parse(a))
      for (const [right, n] of parse(b)) {
        const names = joinNames(splitTop(left, "*"), splitTop(right, "*"));
        product.set(names, (product.get(names) ?? 0) + m * n);
      }
    return format(product);
  }, 1);
}

/** `a - b`. */
export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(b, -1));

/** `floor(a / b)`, or `ceil(a / b)`; exact when b divides every term of a. */
export function divideDims(a: Dim, b: Dim, rounding: "floor" | "ceil" = "floor"): Dim {
  if (typeof a === "number" && typeof b === "number") return Math[rounding](a / b);
  if (b === 1) return a;
  if (a === b) return 1;
  return exactQuotient(a, b) ?? shorten(`${rounding}((${a})/${typeof b === "number" ? b : `(${b})`})`);
}

/** `a / b` when b divides a whatever the names stand for (as far as the notation shows), else undefined. */
export function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  const divisor = [...parse(b)];
  const [only] = divisor;
  if (divisor.length !== 1 || only === undefined || only[1] === 0) {
    if (a === b && a !== 0) return 1;
    return undefined;
  }
  const quotient = new Map<string, number>();
  for (const [names, count] of parse(a)) {
    const left = splitTop(names, "*");
    for (const name of splitTop(only[0], "*")) {
      const at = left.indexOf(name);
      if (at < 0) return undefined;
      left.splice(at, 1);
    }
    if (count % only[1] !== 0) return undefined;
    quotient.set(left.join("*"), count / only[1]);
  }
  return format(quotient);
}

/** The larger of two sizes. */
export function maxDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return Math.max(a, b);
  return a === b ? a : shorten(`max(${a},${b})`);
}

/** The smaller of two sizes. */
export function minDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return Math.min(a, b);
  return a === b ? a : shorten(`min(${a},${b})`);
}

/** The size of two axes that stretch to each other, of which nothing is known but that they are equal or one is 1. */
export const broadcastDims = (a: Dim, b: Dim): Dim => (a === b ? a : shorten(`broadcast(${a},${b})`));

function parse(dim: Dim): Terms {
  if (typeof dim === "number") return dim === 0 ? new Map() : new Map([["", dim]]);
  if (dim.length > longestName) return new Map([[dim, 1]]);
  const terms = new Map<string, number>();
  for (const term of splitSum(dim)) {
    const negative = term.startsWith("-");
    let count = negative ? -1 : 1;
    const names: string[] = [];
    for (const factor of splitTop(negative ? term.slice(1) : term, "*"))
      if (/^\d{1,15}$/.test(factor)) count *= Number(factor);
      else names.push(factor);
    const key = joinNames(names, []);
    terms.set(key, (terms.get(key) ?? 0) + count);
  }
  return terms;
}

function format(terms: Terms): Dim {
  const parts: string[] = [];
  let constant = 0;
  for (const [names, count] of [...terms].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (names === "") constant = count;
    else if (count !== 0)
      parts.push(`${count < 0 ? "-" : ""}${names}${Math.abs(count) === 1 ? "" : `*${Math.abs(count)}`}`);
  }
  if (parts.length === 0) return constant;
  if (constant !== 0) parts.push(String(constant));
  return shorten(parts.join("+").replaceAll("+-", "-"));
}

/** The name, or where it is too long a digest (64-bit FNV-1a) in its place. */
function shorten(name: string): string {
  if (name.length <= longestName) return name;
  let digest = 0xcbf29ce484222325n;
  for (let i = 0; i < name.length; i++)
    digest = BigInt.asUintN(64, (digest ^ BigInt(name.charCodeAt(i))) * 0x100000001b3n);
  return `size#${digest.toString(16)}`;
}

const joinNames = (a: readonly string[], b: readonly string[]): string => [...a, ...b].sort().join("*");

/** Splits at a character outside parentheses; "" has no parts. */
function splitTop(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const c of text) {
    if (c === "(") depth++;
    else if (c === ")") depth--;
    if (c === separator && depth === 0) {
      parts.push(part);
      part = "";
    } else part += c;
  }
  parts.push(part);
  return parts.map((p) => p.trim()).filter((p) => p !== "");
}

/** Splits a sum into its signed terms. */
function splitSum(text: string): string[] {
  let depth = 0;
  let marked = "";
  for (const c of text) {
    if (c === "(") depth++;
    else if (c === ")") depth--;
    marked += c === "-" && depth === 0 && marked !== "" ? "+-" : c;
  }
  return splitTop(marked, "+");
}
