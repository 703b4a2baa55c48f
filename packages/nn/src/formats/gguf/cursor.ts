/** @file Reading the front of a file whose length is known only at its end. */
import { type ElementArrays, elementBytes, elementsOf } from "../elements.ts";
import { FileFormatError } from "../format-error.ts";
import type { GgufNumberType } from "./value.ts";

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

  /** @throws FileFormatError when `count` things of at least `bytes` each cannot be in the rest of the file. */
  expectRoom(where: string, count: number, bytes: number): void {
    if (count * bytes > this.#fileBytes - this.#at)
      throw new FileFormatError(
        where,
        `expected ${count} of at least ${bytes} bytes, but the file ends ${this.#fileBytes - this.#at} bytes on; it is cut off or damaged`,
      );
  }

  /** Numbers that lie next to each other; a copy, so that the window of the file's front need not stay in memory. */
  numbers<T extends GgufNumberType>(where: string, type: T, count: number): ElementArrays[T] {
    return elementsOf(where, type, Uint8Array.from(this.#take(where, count, elementBytes(type))));
  }

  uint32(where: string): number {
    return this.numbers(where, "uint32", 1)[0] ?? 0;
  }

  /** A 64-bit number that JavaScript's number holds exactly. */
  count(where: string): number {
    const at = this.#at;
    this.#take(where, 1, 8);
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
    if (Number.isSafeInteger(value)) return value;
    throw new FileFormatError(where, `expected a number below 2^53, received ${this.#view.getBigUint64(at, true)}`);
  }

  /** A text behind its length. */
  text(where: string): string {
    this.spendText(where);
    const bytes = this.#take(where, this.count(where), 1);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new FileFormatError(where, `expected UTF-8 text, received ${bytes.length} other bytes`, { cause });
    }
  }

  /** Counts a text or a list. @throws FileFormatError when there are more than allowed. */
  spendText(where: string): void {
    if (--this.#texts < 0)
      throw new FileFormatError(where, "the metadata has more texts and lists than the limit allows");
  }

  /** @throws FileFormatError when so many texts or lists would be more than allowed. */
  expectTexts(where: string, count: number): void {
    if (count > this.#texts)
      throw new FileFormatError(where, "the metadata has more texts and lists than the limit allows");
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
