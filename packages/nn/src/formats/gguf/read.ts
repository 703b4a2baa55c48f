/** @file Reading GGUF: the front at once, each tensor when it is asked for. */
import {
  blockBytes,
  blockElements,
  type GgufHeader,
  type GgufLimits,
  type GgufTensorInfo,
  readGgufHeader,
} from "@gristmill/gguf";
import { shown } from "../../schema/problems.ts";
import type { ByteSource } from "../byte-source.ts";
import { FileFormatError } from "../format-error.ts";
import { decodeBlocks } from "./codec.ts";
import { asFormatError } from "./format-error.ts";

/** A file whose front has been read and checked. */
export class GgufFile {
  readonly #source: ByteSource;
  readonly header: GgufHeader;

  /** Use `GgufFile.open`. */
  constructor(source: ByteSource, header: GgufHeader) {
    this.#source = source;
    this.header = header;
  }

  /** Reads and checks the front of a file. @throws FileFormatError */
  static async open(source: ByteSource, limits: GgufLimits = {}): Promise<GgufFile> {
    return new GgufFile(source, await readGgufHeader(source, limits).catch(asFormatError));
  }

  /** Bytes of a tensor as they lie in the file. @throws FileFormatError when it has none of that name. */
  async readBytes(name: string): Promise<Uint8Array> {
    const { offset, sizeBytes } = this.#find(name);
    return this.#source.read(this.header.dataStart + offset, sizeBytes);
  }

  /**
   * A tensor as float32, row-major; a few megabytes of the file are in memory at a time.
   * @throws FileFormatError when the file has none of that name, or its type is only known by its size.
   */
  async read(name: string): Promise<Float32Array> {
    const { type, shape, offset, sizeBytes } = this.#find(name);
    const where = `GGUF, tensor ${shown(name)}`;
    decodeBlocks(where, type, new Uint8Array()); // refuses the type before anything is allocated
    const numbers = new Float32Array(shape.reduce((product, axis) => product * axis, 1));
    const piece = Math.floor(2 ** 22 / blockBytes(type)) * blockBytes(type);
    for (let at = 0; at < sizeBytes; at += piece) {
      const bytes = await this.#source.read(this.header.dataStart + offset + at, Math.min(piece, sizeBytes - at));
      numbers.set(decodeBlocks(where, type, bytes), (at / blockBytes(type)) * blockElements(type));
    }
    return numbers;
  }

  #find(name: string): GgufTensorInfo {
    const info = this.header.tensors.get(name);
    if (info === undefined)
      throw new FileFormatError(
        `GGUF, tensor ${shown(name)}`,
        `the file has none of that name; it has ${this.header.tensors.size} others`,
      );
    return info;
  }
}
