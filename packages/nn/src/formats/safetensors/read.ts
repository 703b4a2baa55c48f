/** @file Reading safetensors: all at once from memory, or tensor by tensor from a file. */
import type { ByteSource } from "../byte-source.ts";
import { elementBytes, elementsOf, type StoredTensor } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";
import {
  headerLength,
  lengthBytes,
  nameOfTensor,
  parseHeader,
  type SafetensorsHeader,
  type SafetensorsInfo,
  type SafetensorsLimits,
} from "./header.ts";

/** What a file holds. */
export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Reads a whole file in memory. Tensors may share the memory of `bytes`.
 * @throws FileFormatError saying what is wrong where; nothing is allocated before its size is known to be in the file.
 */
export function decodeSafetensors(bytes: Uint8Array, limits: SafetensorsLimits = {}): Safetensors {
  const start = lengthBytes + headerLength(bytes.subarray(0, lengthBytes), bytes.length, limits);
  const { metadata, tensors } = parseHeader(bytes.subarray(lengthBytes, start), bytes.length - start, limits);
  return {
    metadata,
    tensors: new Map(
      [...tensors].map(([name, info]) => [
        name,
        toTensor(info, info.shape, bytes.subarray(start + info.begin, start + info.end)),
      ]),
    ),
  };
}

/** A file whose header has been read and checked; its tensors are read one by one, when they are asked for. */
export class SafetensorsFile {
  readonly #source: ByteSource;
  readonly #start: number;
  readonly header: SafetensorsHeader;

  /** Use `SafetensorsFile.open`. `start` is where the tensors' bytes begin. */
  constructor(source: ByteSource, start: number, header: SafetensorsHeader) {
    this.#source = source;
    this.#start = start;
    this.header = header;
  }

  /** Reads and checks the header. @throws FileFormatError */
  static async open(source: ByteSource, limits: SafetensorsLimits = {}): Promise<SafetensorsFile> {
    const first = await source.read(0, Math.min(lengthBytes, source.sizeBytes));
    const length = headerLength(first, source.sizeBytes, limits);
    const json = await source.read(lengthBytes, length);
    const start = lengthBytes + length;
    return new SafetensorsFile(source, start, parseHeader(json, source.sizeBytes - start, limits));
  }

  /** A tensor. @throws FileFormatError when the file has none of that name. */
  async read(name: string): Promise<StoredTensor> {
    const info = this.#find(name);
    return toTensor(info, info.shape, await this.#source.read(this.#start + info.begin, info.end - info.begin));
  }

  /**
   * Some rows (places along the first axis) of a tensor, `[count, ...]`; no other bytes are read.
   * @throws FileFormatError when the tensor has no such rows.
   */
  async readRows(name: string, first: number, count: number): Promise<StoredTensor> {
    const info = this.#find(name);
    const [rows, ...rest] = info.shape;
    const isRange = Number.isSafeInteger(first) && Number.isSafeInteger(count) && first >= 0 && count >= 0;
    if (rows === undefined || !isRange || first + count > rows)
      throw new FileFormatError(
        nameOfTensor(name),
        `expected rows within its shape [${info.shape}], received ${count} from ${first}`,
      );
    const rowBytes = rest.reduce((product, axis) => product * axis, elementBytes(info.dtype));
    const bytes = await this.#source.read(this.#start + info.begin + first * rowBytes, count * rowBytes);
    return toTensor(info, [count, ...rest], bytes);
  }

  #find(name: string): SafetensorsInfo {
    const info = this.header.tensors.get(name);
    if (info === undefined)
      throw new FileFormatError(
        nameOfTensor(name),
        `the file has none of that name; it has ${this.header.tensors.size} others`,
      );
    return info;
  }
}

const toTensor = ({ name, dtype }: SafetensorsInfo, shape: readonly number[], bytes: Uint8Array): StoredTensor =>
  ({ dtype, shape, data: elementsOf(nameOfTensor(name), dtype, bytes) }) as StoredTensor;
