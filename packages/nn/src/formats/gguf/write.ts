/** @file Writing GGUF (version 3, little-endian) piece by piece. */
import { shown } from "../../schema/problems.ts";
import { type ByteSink, joined } from "../byte-sink.ts";
import { bytesOf, type ElementType } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";
import { encodeBlocks, type GgufWritableType, writableTypes } from "./codec.ts";
import { aligned, defaultAlignment, mostAxes, sizeOf } from "./header.ts";
import { codeOf } from "./tensor-type.ts";
import { type GgufArray, type GgufValue, valueCode } from "./value.ts";

/** A tensor to write. */
export interface GgufTensor {
  readonly name: string;
  /** Row-major: the last axis lies together. At most 4 axes. */
  readonly shape: readonly number[];
  readonly type: GgufWritableType;
  /** Its numbers, row-major; asked for when its turn comes and let go of after. */
  load(): Float32Array | Promise<Float32Array>;
}

/** What to write. */
export interface GgufContents {
  /** In the file's order. `general.alignment` is not among them: it is always 32. */
  readonly metadata: readonly (readonly [key: string, value: GgufValue])[];
  readonly tensors: readonly GgufTensor[];
}

/** Elements that are encoded at a time: 1 MiB of float32, whole blocks of every type. */
const pieceElements = 2 ** 18;

/**
 * Writes a file. Beside the tensor that `load` gives, about two megabytes are in memory.
 * @throws FileFormatError for what no reader would take, before anything is written; and for numbers that do not fit
 * their shape or type, when they are met: the file is then cut off.
 */
export async function writeGguf(sink: ByteSink, contents: GgufContents): Promise<void> {
  const { metadata, tensors } = contents;
  expectUnique(
    "key",
    metadata.map(([key]) => key),
  );
  expectUnique(
    "tensor",
    tensors.map(({ name }) => name),
  );
  const front = joined([
    new TextEncoder().encode("GGUF"),
    uint32(3),
    uint64(tensors.length),
    uint64(metadata.length),
    ...metadata.flatMap(([key, value]) => [text(checkedKey(key)), ...typedValue(key, value)]),
    ...tensorInfos(tensors),
  ]);
  await sink.write(joined([front, new Uint8Array(aligned(front.length, defaultAlignment) - front.length)]));
  for (const tensor of tensors) await writeTensor(sink, tensor);
}

async function writeTensor(sink: ByteSink, { name, shape, type, load }: GgufTensor): Promise<void> {
  const where = nameOf(name);
  const numbers = await load();
  const expected = shape.reduce((product, axis) => product * axis, 1);
  if (numbers.length !== expected)
    throw new FileFormatError(where, `expected ${expected} numbers for [${shape}], received ${numbers.length}`);
  for (let at = 0; at < numbers.length; at += pieceElements)
    await sink.write(encodeBlocks(where, type, numbers.subarray(at, at + pieceElements)));
  const size = sizeOf(where, type, shape);
  await sink.write(new Uint8Array(aligned(size, defaultAlignment) - size));
}

function tensorInfos(tensors: readonly GgufTensor[]): Uint8Array[] {
  let offset = 0;
  return tensors.flatMap(({ name, shape, type }) => {
    const where = nameOf(name);
    const bytes = new TextEncoder().encode(name);
    // ggml keeps names in 64 bytes with a zero at the end
    if (bytes.length === 0 || bytes.length > 63)
      throw new FileFormatError(where, `expected a name of 1 to 63 bytes, received ${bytes.length}`);
    if (shape.length === 0 || shape.length > mostAxes || !shape.every((axis) => Number.isSafeInteger(axis) && axis > 0))
      throw new FileFormatError(where, `expected 1 to ${mostAxes} axes of sizes from 1, received [${shape}]`);
    if (!writableTypes.includes(type))
      throw new FileFormatError(where, `expected a type out of ${writableTypes.join(", ")}, received ${shown(type)}`);
    const info = [
      text(name),
      uint32(shape.length),
      ...shape.toReversed().map(uint64),
      uint32(codeOf(type)),
      uint64(offset),
    ];
    offset = aligned(offset + sizeOf(where, type, shape), defaultAlignment);
    return info;
  });
}

function typedValue(key: string, value: GgufValue): Uint8Array[] {
  const where = `GGUF, key ${shown(key)}`;
  if (value.type === "array") return [uint32(valueCode("array")), ...array(where, value.value)];
  if (value.type === "string") return [uint32(valueCode("string")), text(value.value)];
  return [uint32(valueCode(value.type)), scalar(where, value.type, value.value)];
}

function array(where: string, { of, values }: GgufArray): Uint8Array[] {
  const front = [uint32(valueCode(of)), uint64(values.length)];
  if (of === "string") return [...front, ...values.map(text)];
  if (of === "array") return [...front, ...values.flatMap((inner) => array(where, inner))];
  return [...front, bytesOf(of, values)];
}

type Range = readonly [least: number | bigint, most: number | bigint];
const ranges: Readonly<Partial<Record<ElementType, Range>>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65_535],
  int16: [-32_768, 32_767],
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint64: [0n, 2n ** 64n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};

function scalar(
  where: string,
  type: Exclude<GgufValue["type"], "array" | "string">,
  value: number | bigint | boolean,
): Uint8Array {
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  if (typeof value === "bigint") {
    expectRange(where, type, value);
    return bytesOf(type, type === "uint64" ? BigUint64Array.of(value) : BigInt64Array.of(value));
  }
  if (type === "float32") return bytesOf(type, Float32Array.of(value));
  if (type === "float64") return bytesOf(type, Float64Array.of(value));
  if (!Number.isSafeInteger(value))
    throw new FileFormatError(where, `expected a whole number for ${type}, received ${value}`);
  expectRange(where, type, value);
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, BigInt(value), true);
  // in two's complement the low bytes are the smaller number
  return new Uint8Array(view.buffer, 0, type.endsWith("8") ? 1 : type.endsWith("16") ? 2 : 4);
}

function expectRange(where: string, type: ElementType, value: number | bigint): void {
  const [least, most] = ranges[type] ?? [0, 0];
  if (value < least || value > most)
    throw new FileFormatError(where, `expected ${least} to ${most} for ${type}, received ${value}`);
}

const uint32 = (value: number): Uint8Array => bytesOf("uint32", Uint32Array.of(value));
const uint64 = (value: number): Uint8Array => bytesOf("uint64", BigUint64Array.of(BigInt(value)));

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return joined([uint64(bytes.length), bytes]);
}

const nameOf = (name: string): string => `GGUF, tensor ${shown(name)}`;

function checkedKey(key: string): string {
  if (!/^[A-Za-z0-9_.-]{1,65535}$/.test(key) || key === "general.alignment")
    throw new FileFormatError(
      `GGUF, key ${shown(key)}`,
      "expected letters, digits, points and underlines, and not general.alignment, which is always 32",
    );
  return key;
}

function expectUnique(what: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new FileFormatError(`GGUF, ${what} ${shown(name)}`, "it appears twice; expected it once");
    seen.add(name);
  }
}
