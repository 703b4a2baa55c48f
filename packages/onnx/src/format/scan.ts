/**
 * @file Bytes are walked once before they are decoded, allocating nothing: whether the messages are whole, how deep
 * they nest, and how much memory their decoded form needs. A file of a few megabytes can say "millions of nodes".
 */
import { OnnxFormatError } from "../errors.ts";
import { type Field, messages } from "./schema.ts";

/** What a file may ask for. */
export interface DecodeLimits {
  /** Size of the file. 2 GiB - 1 when not said: the most that one protobuf message may have. */
  readonly bytes?: number;
  /** Estimated memory of the decoded messages without the weights' bytes; 1 GiB when not said. */
  readonly memoryBytes?: number;
  /** Graphs inside graphs; 16 when not said. */
  readonly depth?: number;
}

/** Memory of one decoded object, text or 64-bit number: rounded up from heap snapshots of Node 24. */
const objectBytes = 256;
const textBytes = 64;
const numberBytes = 64;
const floatBytes = 16;

/** Fields of each message by number. */
const fieldsByNumber = new Map(
  Object.entries(messages).map(([name, fields]) => [
    name,
    new Map(Object.values(fields).map((field) => [field.id, field] as const)),
  ]),
);

/**
 * @returns how deep graphs lie inside each other: 1 for a model whose nodes run no graphs.
 * @throws OnnxFormatError when the bytes are no whole messages, or ask for more than the limits.
 */
export function scanMessage(type: "ModelProto" | "TensorProto", bytes: Uint8Array, limits: DecodeLimits): number {
  const most = limits.bytes ?? 2 ** 31 - 1;
  const what = type === "ModelProto" ? "model" : "tensor";
  if (bytes.length === 0) throw new OnnxFormatError("file", `expected an ONNX ${what}, received 0 bytes`);
  if (bytes.length > most)
    throw new OnnxFormatError("file", `expected at most ${most} bytes, received ${bytes.length}`);
  const scanner = new Scanner(bytes, limits.memoryBytes ?? 2 ** 30, limits.depth ?? 16);
  scanner.message(type, 0, bytes.length, 0);
  return scanner.deepest;
}

class Scanner {
  /** Graphs inside graphs that were met. */
  deepest = 0;
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  readonly #memoryLimit: number;
  #memory = 0;
  #at = 0;

  constructor(bytes: Uint8Array, memoryLimit: number, depth: number) {
    this.#bytes = bytes;
    this.#memoryLimit = memoryLimit;
    this.#depth = depth;
  }

  /** Walks the message from `start` to `end`. `graphs` counts the graphs around it. */
  message(type: string, start: number, end: number, graphs: number): void {
    const fields = fieldsByNumber.get(type);
    const inside = type === "GraphProto" ? graphs + 1 : graphs;
    if (inside > this.#depth) throw this.#error(start, `expected at most ${this.#depth} graphs inside each other`);
    this.deepest = Math.max(this.deepest, inside);
    this.#spend(objectBytes);
    this.#at = start;
    while (this.#at < end) {
      const tag = this.#varint(end);
      const field = fields?.get(Math.floor(tag / 8));
      this.#value(field, tag % 8, end, inside);
    }
  }

  #value(field: Field | undefined, wireType: number, end: number, graphs: number): void {
    const repeated = field?.rule === "repeated";
    if (wireType === 0) {
      this.#varint(end);
      if (repeated) this.#spend(numberBytes);
    } else if (wireType === 1 || wireType === 5) {
      this.#skip(wireType === 1 ? 8 : 4, end);
      if (repeated) this.#spend(floatBytes);
    } else if (wireType === 2) {
      const length = this.#varint(end);
      const start = this.#at;
      this.#skip(length, end);
      if (field === undefined) return;
      if (fieldsByNumber.has(field.type)) {
        this.message(field.type, start, start + length, graphs);
        this.#at = start + length;
      } else this.#spend(cost(field, length));
    } else throw this.#error(this.#at, `wire type ${wireType} is not used by ONNX`);
  }

  #varint(end: number): number {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= end) throw this.#error(this.#at, "the file ends inside a number");
      const byte = this.#bytes[this.#at++] ?? 0;
      // beyond 2^53 digits are lost: such numbers are only skipped, and as lengths they are too long anyway
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return value;
    }
    throw this.#error(this.#at, "a number of more than 10 bytes");
  }

  #skip(length: number, end: number): void {
    if (length > end - this.#at)
      throw this.#error(
        this.#at,
        `expected ${length} more bytes, found ${end - this.#at}; the file is cut off or damaged`,
      );
    this.#at += length;
  }

  #spend(bytes: number): void {
    this.#memory += bytes;
    if (this.#memory > this.#memoryLimit)
      throw this.#error(this.#at, `the decoded model would need more than ${this.#memoryLimit} bytes of memory`);
  }

  #error(at: number, message: string): OnnxFormatError {
    return new OnnxFormatError(`byte ${at}`, message);
  }
}

/** Memory of a decoded text, packed list or byte string; the last are views on the file. */
function cost(field: Field, length: number): number {
  if (field.type === "string") return textBytes + 2 * length;
  if (field.type === "bytes") return objectBytes;
  if (field.type === "float" || field.type === "double") return (length / 4) * floatBytes;
  return length * numberBytes;
}
