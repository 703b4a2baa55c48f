/** @file Whether two tensors are the same, within what sums of an element type may differ. */
import { fromHalfBits } from "../half.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Tolerance } from "./tolerance.ts";

/** Digits of element types, as the least relative difference between two numbers. Other types must be equal. */
const steps: Readonly<Record<string, number>> = { float16: 1e-3, float32: 0, float64: 0 };

/** What differs, in words; undefined for tensors that are the same. */
export function difference(expected: Tensor, actual: Tensor, tolerance: Tolerance): string | undefined {
  const [want, got] = [expected, actual].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`);
  if (want !== got) return `is ${got}, expected ${want}`;
  if (tolerance.random) return undefined;
  const step = steps[expected.dtype];
  const allowed =
    step === undefined
      ? { relative: 0, absolute: 0 }
      : { relative: Math.max(step, tolerance.relative), absolute: Math.max(step, tolerance.absolute) };
  const [a, b] = [elements(expected), elements(actual)];
  const at = a.findIndex((value, i) => !close(value, b[i], allowed));
  return at < 0 ? undefined : `differs at element ${at}: ${b[at]}, expected ${a[at]}`;
}

function elements(tensor: Tensor): readonly (number | bigint | string)[] {
  return Array.from<number | bigint | string>(tensor.dtype === "float16" ? fromHalfBits(tensor.data) : tensor.data);
}

function close(
  expected: number | bigint | string,
  actual: number | bigint | string | undefined,
  { relative, absolute }: { readonly relative: number; readonly absolute: number },
): boolean {
  if (Object.is(expected, actual) || expected === actual) return true;
  if (typeof expected !== "number" || typeof actual !== "number") return false;
  return Math.abs(expected - actual) <= absolute + relative * Math.abs(expected);
}
