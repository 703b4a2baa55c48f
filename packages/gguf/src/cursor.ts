/** @file Reading the front of a file whose length is known only at its end. */
import { GgufError } from "./errors.ts";
import { type GgufNumberArrays, type GgufNumberType, numberBytes, numbersOf } from "./value.ts";

/** The bytes at hand end before the file does: parse again with more of it. */
export class NeedsMore extends Error {
  readonly sizeBytes: number;

  constructor(sizeBytes: number) {
    super(`needs ${sizeBytes} bytes`);
    this.sizeBytes = sizeBytes;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Takes numbers and texts from the first bytes of a file, never beyond what the file has. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileBytes: number;
  #at = 0;
  #texts: number;

  /** `texts` is the most texts and lists that may be made: each needs memory, however short. */
  constructor(bytes: Uint8Array, fileBytes: number, texts: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileBytes = fileBytes;
    this.#texts = texts;
  }

  get position(): number {
    return this.#at;
  }

  /** @throws GgufError when `count` things of at least `bytes` each cannot be in the rest of the file. */
  expectRoom(where: string, count: number, bytes: number): void {
    const left = this.#fileBytes - this.#at;
    if (count * bytes > left)
      throw new GgufError(
        "gguf.cut_off",
        where,
        `expected ${count} of at least ${bytes} bytes, but the file ends ${left} bytes on; it is cut off or damaged`,
      );
  }

  /** Numbers that lie next to each other; a copy, so that the window of the file's front need not stay in memory. */
  numbers<T extends GgufNumberType>(where: string, type: T, count: number): GgufNumberArrays[T] {
    const bytes = this.#take(where, count, numberBytes(type));
    if (type === "bool" && bytes.some((byte) => byte > 1))
      throw new GgufError("gguf.malformed", where, "expected 0 or 1 for each bool, received another byte");
    return numbersOf(type, bytes);
  }

  uint32(where: string): number {
    const at = this.#at;
    this.#take(where, 1, 4);
    return this.#view.getUint32(at, true);
  }

  /** A 64-bit number that JavaScript's number holds exactly. */
  count(where: string): number {
    const at = this.#at;
    this.#take(where, 1, 8);
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
    if (Number.isSafeInteger(value)) return value;
    throw new GgufError(
      "gguf.malformed",
      where,
      `expected a number below 2^53, received ${this.#view.getBigUint64(at, true)}`,
    );
  }

  /** A text behind its length. */
  text(where: string): string {
    this.spend(where);
    const bytes = this.#take(where, this.count(where), 1);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new GgufError("gguf.malformed", where, `expected UTF-8 text, received ${bytes.length} other bytes`, {
        cause,
      });
    }
  }

  /** Counts a text or a list. @throws GgufError when there are more than allowed. */
  spend(where: string): void {
    this.expectTexts(where, 1);
    this.#texts--;
  }

  /** @throws GgufError when so many texts or lists would be more than allowed. */
  expectTexts(where: string, count: number): void {
    if (count > this.#texts)
      throw new GgufError("gguf.limit", where, "the metadata has more texts and lists than the limit allows");
  }

  #take(where: string, count: number, size: number): Uint8Array {
    this.expectRoom(where, count, size);
    const end = this.#at + count * size;
    if (end > this.#bytes.length) throw new NeedsMore(end);
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}
