/** @file Tensors of a file. Sizes are compared with the bytes that are there before anything is allocated. */
import { type Dtype, dtypeBytes, dtypeOfCode, refusedDtype } from "../dtype.ts";
import { OnnxFormatError } from "../errors.ts";
import { elementCount, formatShape, mostAxes } from "../shape.ts";
import { emptyArray, type Tensor, tensor } from "../tensor.ts";
import { isLittleEndian, swapped } from "./byte-order.ts";
import { type ExternalData, externalPlace } from "./external-data.ts";
import { toBigInt, toInt, toText, type WireInt, type WireTensor } from "./wire.ts";

/**
 * @param external where weights in other files come from; undefined where they are not read
 * @throws OnnxFormatError when the sizes, the type and the bytes do not agree, or the data lies in another file.
 */
export function fromWireTensor(where: string, wire: WireTensor, external?: ExternalData): Tensor {
  const isExternal = wire.externalData.length > 0 || wire.dataLocation !== 0;
  if (isExternal && external === undefined)
    throw new OnnxFormatError(
      where,
      "the data lies in another file, which is not read from bytes alone; use readModelFile, or save the model as one file",
    );
  if (wire.segment.length > 0) throw new OnnxFormatError(where, "tensors in segments are not supported");
  const dtype = dtypeOfCode(wire.dataType);
  if (dtype === undefined) throw new OnnxFormatError(where, refusedDtype(wire.dataType));
  expectOneSource(where, wire, isExternal);
  const shape = toShape(where, wire.dims);
  const count = elementCount(shape) ?? 0;
  if (!Number.isSafeInteger(count)) throw new OnnxFormatError(where, `${formatShape(shape)} has too many elements`);
  if (dtype === "string") {
    if (isExternal) throw new OnnxFormatError(where, "strings in another file are not supported");
    expectCount(where, shape, count, wire.stringData.length);
    return tensor(
      dtype,
      shape,
      wire.stringData.map((text) => toText(where, text)),
    );
  }
  const data =
    isExternal && external !== undefined
      ? fromExternal(where, dtype, count, wire, external)
      : Object.hasOwn(wire, "rawData")
        ? fromRaw(where, dtype, shape, count, wire.rawData)
        : fromFields(where, dtype, shape, count, wire);
  if (dtype === "bool" && (data as Uint8Array).some((byte) => byte > 1))
    throw new OnnxFormatError(where, "expected 0 or 1 for each bool, received another byte");
  return tensor(dtype, shape, data as never);
}

const listFields = ["floatData", "int32Data", "int64Data", "doubleData", "uint64Data", "stringData"] as const;

/** Readers choose differently among several, so that what was checked would not be what runs. */
function expectOneSource(where: string, wire: WireTensor, isExternal: boolean): void {
  const found = [
    ...(isExternal ? ["externalData"] : []),
    ...(wire.rawData.length > 0 ? ["rawData"] : []),
    ...listFields.filter((field) => wire[field].length > 0),
  ];
  if (found.length > 1)
    throw new OnnxFormatError(where, `expected its numbers in one place, received several: ${found.join(", ")}`);
}

/** Sizes of all axes. */
function toShape(where: string, dims: readonly WireInt[]): number[] {
  if (dims.length > mostAxes)
    throw new OnnxFormatError(where, `expected at most ${mostAxes} axes, received ${dims.length}`);
  return dims.map((dim) => toSize(where, dim));
}

/** A size of an axis. @throws OnnxFormatError when it is negative or above 2^53. */
export function toSize(where: string, dim: WireInt): number {
  const size = toInt(where, dim);
  if (size < 0) throw new OnnxFormatError(where, `expected sizes from 0, received ${size}`);
  return size;
}

function expectCount(where: string, shape: readonly number[], expected: number, received: number): void {
  if (expected !== received)
    throw new OnnxFormatError(where, `expected ${expected} elements for ${formatShape(shape)}, received ${received}`);
}

function fromRaw(where: string, dtype: Dtype, shape: readonly number[], count: number, raw: Uint8Array) {
  const size = dtypeBytes(dtype);
  if (raw.length !== count * size)
    throw new OnnxFormatError(
      where,
      `expected ${count * size} bytes for ${dtype}${formatShape(shape)}, received ${raw.length}`,
    );
  const data = emptyArray(dtype, count);
  // a copy: the file's bytes may lie at any address, and need not stay in memory
  if (ArrayBuffer.isView(data)) new Uint8Array(data.buffer).set(isLittleEndian ? raw : swapped(raw, size));
  return data;
}

function fromExternal(where: string, dtype: Dtype, count: number, wire: WireTensor, external: ExternalData) {
  const size = dtypeBytes(dtype);
  const place = externalPlace(where, wire.externalData);
  external.claim(where, place, count * size);
  const data = emptyArray(dtype, count);
  if (!ArrayBuffer.isView(data)) return data;
  const bytes = new Uint8Array(data.buffer);
  external.read(where, place, bytes);
  if (!isLittleEndian) bytes.set(swapped(bytes, size));
  return data;
}

/** Numbers written one by one; which field holds which types is fixed by ONNX. */
function fromFields(where: string, dtype: Dtype, shape: readonly number[], count: number, wire: WireTensor) {
  const field = fieldOf(dtype, wire);
  expectCount(where, shape, count, field.length);
  const data = emptyArray(dtype, count);
  for (let i = 0; i < count; i++) {
    const element = field[i] ?? 0;
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = toBigInt(element);
    else if (!Array.isArray(data)) {
      const number = typeof element === "number" ? element : Number(toBigInt(element));
      data[i] = number;
      if (dtype !== "float32" && data[i] !== number && !Number.isNaN(number))
        throw new OnnxFormatError(where, `${number} is no ${dtype}`);
    }
  }
  return data;
}

function fieldOf(dtype: Dtype, wire: WireTensor): readonly WireInt[] {
  if (dtype === "float32") return wire.floatData;
  if (dtype === "float64") return wire.doubleData;
  if (dtype === "int64") return wire.int64Data;
  return dtype === "uint64" || dtype === "uint32" ? wire.uint64Data : wire.int32Data;
}
