/** @file float32 from and to the bytes of each tensor type, in pieces of whole blocks. */
import { blockBytes, type GgufTensorType } from "@gristmill/gguf";
import { bytesOf, type ElementType, elementsOf, type StoredTensor, toFloat32, toShortFloats } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";
import { blockLength, packQ4, packQ8, unpackQ4, unpackQ8 } from "./blocks.ts";

type Decode = (where: string, bytes: Uint8Array) => Float32Array;
type Encode = (where: string, numbers: Float32Array) => Uint8Array;

const plain =
  (dtype: ElementType): Decode =>
  (where, bytes) =>
    toFloat32({ dtype, data: elementsOf(where, dtype, bytes) } as StoredTensor);

const short =
  (dtype: "float16" | "bfloat16", advice: string): Encode =>
  (where, numbers) => {
    const bits = toShortFloats(dtype, numbers);
    const exponent = dtype === "float16" ? 0x7c00 : 0x7f80;
    for (let i = 0; i < bits.length; i++) {
      const value = numbers[i] ?? 0;
      if (((bits[i] ?? 0) & 0x7fff) === exponent && Number.isFinite(value))
        throw new FileFormatError(where, `${value} is too large for ${dtype}; ${advice}`);
    }
    return bytesOf(dtype, bits);
  };

const unpack =
  (type: GgufTensorType, block: (bytes: DataView, from: number, numbers: Float32Array, to: number) => void): Decode =>
  (_where, bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const blocks = bytes.length / blockBytes(type);
    const numbers = new Float32Array(blocks * blockLength);
    for (let i = 0; i < blocks; i++) block(view, i * blockBytes(type), numbers, i * blockLength);
    return numbers;
  };

const pack =
  (type: GgufTensorType, block: (numbers: Float32Array, from: number, bytes: DataView, to: number) => number): Encode =>
  (where, numbers) => {
    if (!numbers.every(Number.isFinite))
      throw new FileFormatError(
        where,
        `${type} has no infinity and no NaN, and the tensor has some; was its training going well?`,
      );
    const view = new DataView(new ArrayBuffer((numbers.length / blockLength) * blockBytes(type)));
    for (let i = 0; i < numbers.length / blockLength; i++) {
      const scale = block(numbers, i * blockLength, view, i * blockBytes(type));
      if (Math.abs(scale) >= 65520)
        throw new FileFormatError(
          where,
          `${type} keeps scales as float16, for which ${scale} is too large; write the tensor as F32`,
        );
    }
    return new Uint8Array(view.buffer);
  };

const decoders: Readonly<Partial<Record<GgufTensorType, Decode>>> = {
  F32: plain("float32"),
  F16: plain("float16"),
  BF16: plain("bfloat16"),
  F64: plain("float64"),
  I8: plain("int8"),
  I16: plain("int16"),
  I32: plain("int32"),
  I64: plain("int64"),
  Q8_0: unpack("Q8_0", unpackQ8),
  Q4_0: unpack("Q4_0", unpackQ4),
};

const encoders = {
  F32: (_where, numbers) => bytesOf("float32", numbers),
  F16: short("float16", "write the tensor as BF16 or F32"),
  BF16: short("bfloat16", "write the tensor as F32"),
  Q8_0: pack("Q8_0", packQ8),
  Q4_0: pack("Q4_0", packQ4),
} as const satisfies Partial<Record<GgufTensorType, Encode>>;

/** A tensor type that is written. */
export type GgufWritableType = keyof typeof encoders;

/** Types that are written. */
export const writableTypes = Object.keys(encoders) as readonly GgufWritableType[];

/** Whole blocks as float32. @throws FileFormatError for types that are only known by their size. */
export function decodeBlocks(where: string, type: GgufTensorType, bytes: Uint8Array): Float32Array {
  const decode = decoders[type];
  if (decode === undefined)
    throw new FileFormatError(
      where,
      `numbers of type ${type} are not read; expected one of ${Object.keys(decoders).join(", ")}`,
    );
  return decode(where, bytes);
}

/** float32 as whole blocks. @throws FileFormatError for numbers that the type cannot hold. */
export const encodeBlocks = (where: string, type: GgufWritableType, numbers: Float32Array): Uint8Array =>
  encoders[type](where, numbers);
