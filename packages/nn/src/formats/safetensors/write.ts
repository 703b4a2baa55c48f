/** @file Writing safetensors, byte for byte as the reference writer does: wide elements first, then by name. */
import { type ByteSink, joined } from "../byte-sink.ts";
import { bytesOf, type ElementType, elementBytes, type StoredTensor } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";
import { nameOf, rankOf } from "./dtype.ts";
import { lengthBytes, nameOfTensor } from "./header.ts";

/** A tensor whose numbers are made when they are written, so that a large model needs no second copy. */
export interface LazyTensor {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  load(): StoredTensor["data"] | Promise<StoredTensor["data"]>;
}

/** How to write a file. */
export interface WriteSafetensorsOptions {
  /** "names" (when not said) as the reference writer has it; "given" keeps the order among tensors of one element type. */
  readonly order?: "names" | "given";
}

/** Texts that travel with the tensors. */
export type Metadata = Readonly<Record<string, string>>;

/** A whole file in memory. @throws FileFormatError when a tensor's numbers are not as many as its shape says. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>> | ReadonlyMap<string, StoredTensor>,
  metadata: Metadata = {},
  options: WriteSafetensorsOptions = {},
): Uint8Array<ArrayBuffer> {
  const ordered = inOrder(tensors, options);
  return joined([
    headerBytes(ordered, metadata),
    ...ordered.map(([name, tensor]) => checkedBytes(name, tensor, tensor.data)),
  ]);
}

/**
 * Writes a file to a sink, one tensor in memory at a time.
 * @throws FileFormatError when a tensor's numbers are not as many as its shape says; the file is then cut off.
 */
export async function writeSafetensors(
  sink: ByteSink,
  tensors: Readonly<Record<string, LazyTensor>> | ReadonlyMap<string, LazyTensor>,
  metadata: Metadata = {},
  options: WriteSafetensorsOptions = {},
): Promise<void> {
  const ordered = inOrder(tensors, options);
  await sink.write(headerBytes(ordered, metadata));
  for (const [name, tensor] of ordered) await sink.write(checkedBytes(name, tensor, await tensor.load()));
}

type Described = Pick<LazyTensor, "dtype" | "shape">;

function inOrder<T extends Described>(
  tensors: Readonly<Record<string, T>> | ReadonlyMap<string, T>,
  { order = "names" }: WriteSafetensorsOptions,
): [string, T][] {
  const entries: [string, T][] = tensors instanceof Map ? [...tensors] : Object.entries(tensors);
  // by code points, as the reference writer compares UTF-8 bytes; JavaScript's < compares UTF-16
  const keyed = entries.map((entry) => ({ entry, key: new TextEncoder().encode(order === "names" ? entry[0] : "") }));
  // wide elements first in any case, so that each lies at an address that its width divides
  keyed.sort((a, b) => rankOf(b.entry[1].dtype) - rankOf(a.entry[1].dtype) || compareBytes(a.key, b.key));
  return keyed.map(({ entry }) => entry);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const differing = a.findIndex((byte, i) => byte !== b[i]);
  return differing === -1 ? a.length - b.length : (a[differing] ?? 0) - (b[differing] ?? -1);
}

/** Length, JSON, and spaces up to a multiple of 8: tensors then lie at addresses that typed arrays can share. */
function headerBytes(ordered: readonly (readonly [string, Described])[], metadata: Metadata): Uint8Array<ArrayBuffer> {
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set("__metadata__", metadata);
  let at = 0;
  for (const [name, tensor] of ordered) {
    if (name === "__metadata__")
      throw new FileFormatError(nameOfTensor(name), "this name is the format's own; choose another");
    const end = at + sizeOf(tensor);
    header.set(name, { dtype: nameOf(tensor.dtype), shape: tensor.shape, data_offsets: [at, end] });
    at = end;
  }
  // not Object.fromEntries: an object moves keys such as "0" to the front
  const json = `{${[...header].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(lengthBytes + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - lengthBytes), true);
  bytes.set(text, lengthBytes);
  return bytes;
}

const sizeOf = ({ dtype, shape }: Described): number =>
  shape.reduce((product, axis) => product * axis, elementBytes(dtype));

function checkedBytes(name: string, tensor: Described, data: StoredTensor["data"]): Uint8Array {
  const bytes = bytesOf(tensor.dtype, data);
  if (bytes.length !== sizeOf(tensor))
    throw new FileFormatError(
      nameOfTensor(name),
      `expected ${sizeOf(tensor)} bytes for ${tensor.dtype} [${tensor.shape}], received ${bytes.length}`,
    );
  return bytes;
}
