/** @file Requests and answers of the Open Inference Protocol V2, as JSON and with the binary tensor extension. */
import type { InferRequest, InferResponse, OipDatatype } from "@gristmill/contract";
import { GristmillError } from "../http/errors.ts";
import { bytesOfText, numericDatatypes, type TensorData, textOfBytes } from "./datatypes.ts";

/** A tensor with a name. Values are row-major and as many as the shape's sizes multiply to. */
export interface NamedTensor {
  readonly name: string;
  readonly datatype: OipDatatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What to run a model on. */
export interface Inference {
  readonly inputs: readonly NamedTensor[];
  /** Names of the outputs wanted; default all. */
  readonly outputs?: readonly string[];
  /** Comes back in the answer. */
  readonly id?: string;
}

/** What a model answered. */
export interface InferenceResult {
  readonly modelName: string;
  readonly modelVersion: string | null;
  readonly id: string | null;
  readonly outputs: readonly NamedTensor[];
}

/** A request's body and headers. */
export interface InferenceBody {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

const isText = (data: TensorData): data is readonly string[] => Array.isArray(data);

function bytesOf(data: TensorData): Uint8Array {
  return isText(data) ? bytesOfText(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** JSON has no 64-bit whole numbers and no half floats: what it can't say exactly is refused here, not rounded. */
function jsonOf({ name, datatype, data }: NamedTensor): unknown[] {
  if (datatype === "FP16")
    throw new TypeError(`infer: input "${name}": FP16 needs the encoding "binary": JSON has no half floats`);
  if (datatype === "BOOL") return Array.from(data as Uint8Array, (value) => value !== 0);
  return Array.from(data as ArrayLike<number | bigint | string>, (value) => {
    if (typeof value !== "bigint") return value;
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      throw new RangeError(`infer: input "${name}": ${value} needs the encoding "binary": JSON would round it`);
    return number;
  });
}

/** @param encoding "binary": tensors follow the JSON as raw little-endian bytes, and outputs are asked for in the same way. */
export function writeInference(request: Inference, encoding: "json" | "binary"): InferenceBody {
  const outputs = request.outputs?.map((name) => ({ name }));
  const head = {
    ...(request.id === undefined ? {} : { id: request.id }),
    ...(outputs === undefined ? {} : { outputs }),
  };
  if (encoding === "json") {
    const inputs = request.inputs.map((input) => ({ ...describe(input), data: jsonOf(input) }));
    const json = { ...head, inputs } satisfies InferRequest;
    return { body: new TextEncoder().encode(JSON.stringify(json)), headers: { "content-type": "application/json" } };
  }
  const parts = request.inputs.map((input) => bytesOf(input.data));
  const inputs = request.inputs.map((input, i) => ({
    ...describe(input),
    parameters: { binary_data_size: parts[i]?.length ?? 0 },
  }));
  const json = { ...head, parameters: { binary_data_output: true }, inputs } satisfies InferRequest;
  const header = new TextEncoder().encode(JSON.stringify(json));
  return {
    body: concat([header, ...parts]),
    headers: {
      "content-type": "application/octet-stream",
      "inference-header-content-length": `${header.length}`,
    },
  };
}

const describe = ({ name, datatype, shape }: NamedTensor) => ({ name, datatype, shape: [...shape] });

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Reads an answer.
 * @param jsonLength how many of the first bytes are JSON; null: all of them.
 * @throws GristmillError `client.unexpected_answer` when sizes don't add up.
 */
export function readInference(bytes: Uint8Array<ArrayBuffer>, jsonLength: number | null): InferenceResult {
  const length = jsonLength ?? bytes.length;
  const response = parse(bytes.subarray(0, length));
  let at = length;
  const outputs = response.outputs.map((output): NamedTensor => {
    const { name, datatype, shape } = output;
    const size = output.parameters?.["binary_data_size"];
    if (size === undefined) return { name, datatype, shape, data: fromJson(datatype, output.data) };
    if (typeof size !== "number" || at + size > bytes.length)
      throw unexpected(`output "${name}": expected ${size} bytes at ${at}, received ${bytes.length - at}`);
    const data = fromBytes(datatype, bytes.slice(at, at + size));
    at += size;
    return { name, datatype, shape, data };
  });
  if (at !== bytes.length) throw unexpected(`expected ${at} bytes, received ${bytes.length}`);
  const { model_name, model_version, id } = response;
  return { modelName: model_name, modelVersion: model_version ?? null, id: id ?? null, outputs };
}

function fromJson(datatype: OipDatatype, data: unknown): TensorData {
  if (!Array.isArray(data)) throw unexpected(`${datatype}: expected data as an array, received ${typeof data}`);
  const flat: unknown[] = data.flat(16);
  return datatype === "BYTES" ? flat.map(String) : numericDatatypes[datatype].fromJson(flat);
}

function fromBytes(datatype: OipDatatype, bytes: Uint8Array<ArrayBuffer>): TensorData {
  if (datatype === "BYTES") return textOfBytes(bytes);
  const { size, fromBytes: make } = numericDatatypes[datatype];
  if (bytes.length % size !== 0)
    throw unexpected(`${datatype}: expected a multiple of ${size} bytes, received ${bytes.length}`);
  return make(bytes.buffer);
}

function parse(bytes: Uint8Array): InferResponse {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text) as InferResponse;
  } catch (cause) {
    throw unexpected(`expected JSON, received ${text.slice(0, 80)}`, cause);
  }
}

const unexpected = (message: string, cause?: unknown): GristmillError =>
  new GristmillError(`infer: ${message}`, { code: "client.unexpected_answer" }, cause);
