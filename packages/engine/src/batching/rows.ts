/** @file Joins requests along the first axis and takes their outputs apart again. */
import { emptyArray, type Tensor, tensor } from "@gristmill/onnx";
import type { Signature } from "../engine.ts";

type Named = Readonly<Record<string, Tensor>>;

/**
 * True when requests can run together: every input and every output begins with an axis of one and the same name, which
 * says that it is the batch. Whether rows influence each other is not written in a graph: a model whose rows do is
 * served with a batch size of 1.
 */
export function isBatchable({ inputs, outputs }: Signature): boolean {
  const batch = inputs[0]?.shape[0];
  return (
    typeof batch === "string" &&
    outputs.length > 0 &&
    // "batch" on another axis too would tie that axis to the number of rows.
    [...inputs, ...outputs].every(({ shape }) => shape[0] === batch && !shape.slice(1).includes(batch))
  );
}

/** Rows of a request to a batchable model. */
export const rowsOf = (signature: Signature, inputs: Named): number =>
  inputs[signature.inputs[0]?.name ?? ""]?.shape[0] ?? 1;

/** Equal for requests that may run together: all sizes but the number of rows. */
export const batchKey = (signature: Signature, inputs: Named): string =>
  signature.inputs.map(({ name }) => inputs[name]?.shape.slice(1).join("x")).join(";");

/** All requests' rows in their order; the tensors of a lone request as they are. */
export function joinRows(signature: Signature, requests: readonly Named[]): Named {
  const [first] = requests;
  if (first === undefined) throw new RangeError("joinRows: expected at least one request");
  if (requests.length === 1) return first;
  return Object.fromEntries(
    signature.inputs.map(({ name }) => [name, joinTensors(requests.map((inputs) => tensorOf(inputs, name)))]),
  );
}

/** The outputs of each request: views on the batch's outputs, nothing is copied. */
export function splitRows(outputs: Named, rows: readonly number[]): Record<string, Tensor>[] {
  if (rows.length === 1) return [{ ...outputs }];
  let start = 0;
  return rows.map((count) => {
    const end = start + count;
    const part = Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => [name, sliceRows(value, start, end)]),
    );
    start = end;
    return part;
  });
}

function joinTensors(parts: readonly Tensor[]): Tensor {
  const dtype = parts[0]?.dtype ?? "float32";
  const data = emptyArray(
    dtype,
    parts.reduce((sum, part) => sum + part.data.length, 0),
  );
  let offset = 0;
  for (const part of parts) {
    if (Array.isArray(data)) for (const [i, text] of (part.data as string[]).entries()) data[offset + i] = text;
    else (data as Float32Array).set(part.data as Float32Array, offset);
    offset += part.data.length;
  }
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  return tensor(dtype, [rows, ...(parts[0]?.shape.slice(1) ?? [])], data as never);
}

function sliceRows(value: Tensor, start: number, end: number): Tensor {
  const rest = value.shape.slice(1);
  const rowElements = rest.reduce((product, size) => product * size, 1);
  const [from, to] = [start * rowElements, end * rowElements];
  const data = Array.isArray(value.data) ? value.data.slice(from, to) : value.data.subarray(from, to);
  return tensor(value.dtype, [end - start, ...rest], data as never);
}

function tensorOf(inputs: Named, name: string): Tensor {
  const value = inputs[name];
  if (value === undefined) throw new RangeError(`joinRows: expected input "${name}", which the check lets nobody omit`);
  return value;
}
