/** @file Writing the front of a GGUF file (version 3, little-endian, aligned to 32 bytes). */
import { GgufError, shown } from "./errors.ts";
import { aligned, defaultAlignment, type GgufTensorInfo, mostAxes, tensorBytes, whereTensor } from "./header.ts";
import { codeOf } from "./tensor-type.ts";
import { bytesOf, type GgufArray, type GgufNumberType, type GgufValue, numberBytes, valueCode } from "./value.ts";

/** What the front will say. */
export interface GgufHeaderContents {
  /** In the file's order. `general.alignment` is not among them: it is always 32. */
  readonly metadata: readonly (readonly [key: string, value: GgufValue])[];
  /** Row-major shapes of at most 4 axes; names of 1 to 63 bytes. Their bytes follow in this order, each filled up with zeros to `aligned`. */
  readonly tensors: readonly Pick<GgufTensorInfo, "name" | "type" | "shape">[];
}

/** A front, and where it says that each tensor lies. */
export interface WrittenGgufHeader {
  /** Filled up, so that the first tensor's bytes come right behind. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly tensors: readonly GgufTensorInfo[];
}

/** Zeros that follow a tensor of so many bytes. */
export const paddingBytes = (sizeBytes: number): number => aligned(sizeBytes, defaultAlignment) - sizeBytes;

/** Makes the front of a file. @throws GgufError (`gguf.unwritable`, `gguf.malformed`) for what no reader would take. */
export function writeGgufHeader({ metadata, tensors }: GgufHeaderContents): WrittenGgufHeader {
  expectUnique(
    "key",
    metadata.map(([key]) => key),
  );
  expectUnique(
    "tensor",
    tensors.map(({ name }) => name),
  );
  const infos = placed(tensors);
  const front = [
    new TextEncoder().encode("GGUF"),
    uint32(3),
    uint64(tensors.length),
    uint64(metadata.length),
    ...metadata.flatMap(([key, value]) => [text(checkedKey(key)), ...typedValue(`GGUF, key ${shown(key)}`, value)]),
    ...infos.flatMap(described),
  ];
  return { bytes: joined(front), tensors: infos };
}

function placed(tensors: GgufHeaderContents["tensors"]): GgufTensorInfo[] {
  let offset = 0;
  return tensors.map(({ name, shape, type }) => {
    const where = whereTensor(name);
    const { length } = new TextEncoder().encode(name);
    // ggml keeps names in 64 bytes with a zero at the end
    if (length === 0 || length > 63) throw unwritable(where, `expected a name of 1 to 63 bytes, received ${length}`);
    if (shape.length === 0 || shape.length > mostAxes || !shape.every((axis) => Number.isSafeInteger(axis) && axis > 0))
      throw unwritable(where, `expected 1 to ${mostAxes} axes of sizes from 1, received [${shape}]`);
    const info = { name, shape, type, offset, sizeBytes: tensorBytes(where, type, shape) };
    offset = aligned(offset + info.sizeBytes, defaultAlignment);
    return info;
  });
}

const described = ({ name, shape, type, offset }: GgufTensorInfo): Uint8Array[] => [
  text(name),
  uint32(shape.length),
  ...shape.toReversed().map(uint64),
  uint32(codeOf(type)),
  uint64(offset),
];

function typedValue(where: string, value: GgufValue): Uint8Array[] {
  if (value.type === "array") return [uint32(valueCode("array")), ...array(value.value)];
  if (value.type === "string") return [uint32(valueCode("string")), text(value.value)];
  return [uint32(valueCode(value.type)), scalar(where, value.type, value.value)];
}

function array({ of, values }: GgufArray): Uint8Array[] {
  const front = [uint32(valueCode(of)), uint64(values.length)];
  return of === "string" ? [...front, ...values.map(text)] : [...front, bytesOf(of, values)];
}

type Range = readonly [least: bigint, most: bigint];
const ranges: Readonly<Partial<Record<GgufNumberType, Range>>> = {
  uint8: [0n, 255n],
  int8: [-128n, 127n],
  uint16: [0n, 65_535n],
  int16: [-32_768n, 32_767n],
  uint32: [0n, 2n ** 32n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};

function scalar(where: string, type: GgufNumberType, value: number | bigint | boolean): Uint8Array {
  if (type === "float32") return bytesOf(type, Float32Array.of(Number(value)));
  if (type === "float64") return bytesOf(type, Float64Array.of(Number(value)));
  if (typeof value === "boolean") return Uint8Array.of(value ? 1 : 0);
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw unwritable(where, `expected a whole number for ${type}, received ${value}`);
  const [least, most] = ranges[type] ?? [0n, 0n];
  if (value < least || value > most)
    throw unwritable(where, `expected ${least} to ${most} for ${type}, received ${value}`);
  // in two's complement the low bytes are the smaller number
  return bytesOf("int64", BigInt64Array.of(BigInt.asIntN(64, BigInt(value)))).subarray(0, numberBytes(type));
}

const uint32 = (value: number): Uint8Array => bytesOf("uint32", Uint32Array.of(value));
const uint64 = (value: number): Uint8Array => bytesOf("uint64", BigUint64Array.of(BigInt(value)));

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  const all = new Uint8Array(8 + bytes.length);
  all.set(uint64(bytes.length));
  all.set(bytes, 8);
  return all;
}

/** Pieces one after the other, filled up to the alignment. */
function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const all = new Uint8Array(aligned(length, defaultAlignment));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function checkedKey(key: string): string {
  if (!/^[A-Za-z0-9_.-]{1,65535}$/.test(key) || key === "general.alignment")
    throw unwritable(
      `GGUF, key ${shown(key)}`,
      "expected letters, digits, points and underlines, and not general.alignment, which is always 32",
    );
  return key;
}

function expectUnique(what: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw unwritable(`GGUF, ${what} ${shown(name)}`, "it appears twice; expected it once");
    seen.add(name);
  }
}

const unwritable = (where: string, problem: string): GgufError => new GgufError("gguf.unwritable", where, problem);
