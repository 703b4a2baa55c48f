/** @file Decoded messages as TypeScript sees them. A field that the file leaves out is protobuf's default on the prototype. */
import { OnnxFormatError } from "../errors.ts";
import { modelMessage, tensorMessage } from "./schema.ts";

/** A 64-bit number: protobufjs gives an object where JavaScript's number might lose digits. */
export type WireInt = number | { readonly low: number; readonly high: number; readonly unsigned: boolean };

/** ModelProto. */
export interface WireModel {
  readonly irVersion: WireInt;
  readonly producerName: string;
  readonly graph: WireGraph | null;
  readonly opsetImport: readonly { readonly domain: string; readonly version: WireInt }[];
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[];
  readonly functions: readonly Uint8Array[];
}

/** GraphProto. */
export interface WireGraph {
  readonly name: string;
  readonly node: readonly WireNode[];
  readonly initializer: readonly WireTensor[];
  readonly input: readonly WireValue[];
  readonly output: readonly WireValue[];
  readonly valueInfo: readonly WireValue[];
  readonly sparseInitializer: readonly Uint8Array[];
}

/** NodeProto. */
export interface WireNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly overload: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly WireAttribute[];
}

/** AttributeProto. */
export interface WireAttribute {
  readonly name: string;
  readonly type: number;
  readonly f: number;
  readonly i: WireInt;
  readonly s: Uint8Array;
  readonly t: WireTensor | null;
  readonly g: WireGraph | null;
  readonly floats: readonly number[];
  readonly ints: readonly WireInt[];
  readonly strings: readonly Uint8Array[];
  readonly refAttrName: string;
}

/** TensorProto. */
export interface WireTensor {
  readonly dims: readonly WireInt[];
  readonly dataType: number;
  readonly segment: Uint8Array;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly stringData: readonly Uint8Array[];
  readonly int64Data: readonly WireInt[];
  readonly name: string;
  readonly rawData: Uint8Array;
  readonly doubleData: readonly number[];
  readonly uint64Data: readonly WireInt[];
  readonly externalData: readonly { readonly key: string; readonly value: string }[];
  readonly dataLocation: number;
}

/** ValueInfoProto. */
export interface WireValue {
  readonly name: string;
  readonly type: WireType | null;
}

/** TypeProto: one of its fields, or none where an exporter knew nothing. */
export interface WireType {
  readonly tensorType: WireTensorType | null;
  readonly sequenceType: Uint8Array;
  readonly mapType: Uint8Array;
  readonly sparseTensorType: Uint8Array;
  readonly optionalType: Uint8Array;
}

/** TypeProto.Tensor. */
export interface WireTensorType {
  readonly elemType: number;
  readonly shape: { readonly dim: readonly { readonly dimValue: WireInt; readonly dimParam: string }[] } | null;
}

/** Bytes of a model file as messages. @throws OnnxFormatError */
export const parseWire = (bytes: Uint8Array): WireModel => parse(modelMessage, "model", bytes) as WireModel;

/** Bytes of a tensor file as messages. @throws OnnxFormatError */
export const parseWireTensor = (bytes: Uint8Array): WireTensor => parse(tensorMessage, "tensor", bytes) as WireTensor;

function parse(message: typeof modelMessage, what: string, bytes: Uint8Array): unknown {
  try {
    return message.decode(bytes);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new OnnxFormatError("file", `expected an ONNX ${what}: ${said}`, { cause });
  }
}

/** A 64-bit number with all its digits. */
export function toBigInt(value: WireInt): bigint {
  if (typeof value === "number") return BigInt(value);
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? bits : BigInt.asIntN(64, bits);
}

/** A 64-bit number that JavaScript's number holds exactly. @throws OnnxFormatError beyond 2^53. */
export function toInt(where: string, value: WireInt): number {
  const number = Number(toBigInt(value));
  if (!Number.isSafeInteger(number))
    throw new OnnxFormatError(where, `expected a whole number below 2^53 in size, received ${toBigInt(value)}`);
  return number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text. @throws OnnxFormatError when they are not UTF-8. */
export function toText(where: string, bytes: Uint8Array): string {
  // protobufjs's default for a missing field is an array, not bytes
  if (bytes.length === 0) return "";
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new OnnxFormatError(where, `expected UTF-8 text, received ${bytes.length} other bytes`, { cause });
  }
}
