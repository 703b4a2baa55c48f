/** @file Whether two tensors are the same, within what sums of an element type may differ. */
import { fromHalfBits } from "../half.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Allowed difference: `absolute + relative * |expected|`. ONNX's own runner allows a relative 1e-3 and an absolute 1e-7;
 * the absolute part is larger here, since sums near 0 lose their digits. Other types must be equal.
 */
const tolerances: Readonly<Record<string, { readonly relative: number; readonly absolute: number }>> = {
  float16: { relative: 1e-3, absolute: 1e-3 },
  float32: { relative: 1e-4, absolute: 1e-5 },
  float64: { relative: 1e-7, absolute: 1e-7 },
};

/** What differs, in words; undefined for tensors that are the same. Without `values` only types and sizes count. */
export function difference(expected: Tensor, actual: Tensor, options = { values: true }): string | undefined {
  const [want, got] = [expected, actual].map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`);
  if (want !== got) return `is ${got}, expected ${want}`;
  if (!options.values) return undefined;
  const allowed = tolerances[expected.dtype] ?? { relative: 0, absolute: 0 };
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
