/** @file GGUF (versions 2 and 3), its front part only, value by value. Source: ggml's docs/gguf.md. */

/** A file that is no GGUF or is cut off. */
export class GgufError extends Error {
  override readonly name = "GgufError";
}

/** The bytes that were read end before the front part does. */
export class FrontCutOffError extends Error {}

/** A value of the metadata; long lists of numbers are passed over. */
export type GgufValue = number | bigint | boolean | string | readonly string[] | { readonly length: number };

/** A tensor as the front part describes it. */
export interface GgufTensor {
  readonly name: string;
  readonly elements: number;
  readonly type: number;
  readonly offset: number;
}

/** The front part of a file. */
export interface GgufFront {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Where the tensors' numbers begin. */
  readonly dataStart: number;
}

const sizes: readonly (number | undefined)[] = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];
const stringType = 8;
const arrayType = 9;

/** @param bytes the file from its beginning. @throws GgufError; FrontCutOffError when `bytes` should be longer. */
export function readFront(bytes: Buffer, fileSize: number): GgufFront {
  const cursor = new Cursor(bytes, fileSize);
  if (cursor.take(4).toString("latin1") !== "GGUF") throw new GgufError('expected a file that begins with "GGUF"');
  const version = cursor.uint32();
  if (version !== 2 && version !== 3) throw new GgufError(`expected GGUF version 2 or 3, received ${version}`);
  // A tensor takes at least 24 bytes of the file, a value 13.
  const tensorCount = cursor.count("tensors", 24);
  const valueCount = cursor.count("values", 13);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < valueCount; i++) {
    const key = cursor.text();
    if (metadata.has(key)) throw new GgufError(`metadata "${key}" is there twice`);
    metadata.set(key, readValue(cursor, cursor.uint32(), key));
  }
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i++) tensors.push(readTensor(cursor));
  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment !== "number" || alignment < 1 || alignment % 8 !== 0)
    throw new GgufError(`general.alignment: expected a multiple of 8, received ${String(alignment)}`);
  return { metadata, tensors, dataStart: Math.ceil(cursor.position / alignment) * alignment };
}

function readTensor(cursor: Cursor): GgufTensor {
  const name = cursor.text();
  const axes = cursor.uint32();
  if (axes > 4) throw new GgufError(`tensor "${name}": expected at most 4 axes, received ${axes}`);
  let elements = 1;
  for (let i = 0; i < axes; i++) elements *= cursor.uint64();
  return { name, elements, type: cursor.uint32(), offset: cursor.uint64() };
}

function readValue(cursor: Cursor, type: number, key: string): GgufValue {
  if (type === stringType) return cursor.text();
  if (type === arrayType) return readArray(cursor, key);
  const size = sizes[type];
  if (size === undefined) throw new GgufError(`metadata "${key}": ${type} is no type of a value`);
  const bytes = cursor.take(size);
  switch (type) {
    case 0:
      return bytes.readUInt8();
    case 1:
      return bytes.readInt8();
    case 2:
      return bytes.readUInt16LE();
    case 3:
      return bytes.readInt16LE();
    case 4:
      return bytes.readUInt32LE();
    case 5:
      return bytes.readInt32LE();
    case 6:
      return bytes.readFloatLE();
    case 7:
      return bytes.readUInt8() !== 0;
    case 10:
      return bytes.readBigUInt64LE();
    case 11:
      return bytes.readBigInt64LE();
    default:
      return bytes.readDoubleLE();
  }
}

function readArray(cursor: Cursor, key: string): GgufValue {
  const of = cursor.uint32();
  const size = sizes[of];
  // llama.cpp refuses lists of lists, too.
  if (of !== stringType && size === undefined)
    throw new GgufError(`metadata "${key}": ${of} is no type of a list's values`);
  const length = cursor.count(`values of "${key}"`, size ?? 8);
  if (size !== undefined) {
    cursor.skip(length * size);
    return { length };
  }
  const texts: string[] = [];
  for (let i = 0; i < length; i++) texts.push(cursor.text());
  return texts;
}

class Cursor {
  position = 0;
  readonly #bytes: Buffer;
  readonly #fileSize: number;

  constructor(bytes: Buffer, fileSize: number) {
    this.#bytes = bytes;
    this.#fileSize = fileSize;
  }

  take(length: number): Buffer {
    const from = this.position;
    this.skip(length);
    return this.#bytes.subarray(from, this.position);
  }

  skip(length: number): void {
    const end = this.position + length;
    if (end > this.#fileSize)
      throw new GgufError(`the file is cut off: expected at least ${end} bytes, received ${this.#fileSize}`);
    if (end > this.#bytes.length) throw new FrontCutOffError();
    this.position = end;
  }

  uint32(): number {
    return this.take(4).readUInt32LE();
  }

  uint64(): number {
    const value = this.take(8).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new GgufError(`${value} is no size of anything in a file`);
    return Number(value);
  }

  /** How many things follow, of which each takes some bytes. */
  count(what: string, leastBytes: number): number {
    const count = this.uint64();
    const left = this.#fileSize - this.position;
    if (count * leastBytes > left)
      throw new GgufError(`the file is cut off: expected ${count} ${what}, received ${left} more bytes`);
    return count;
  }

  text(): string {
    return this.take(this.count("bytes of a text", 1)).toString("utf8");
  }
}
