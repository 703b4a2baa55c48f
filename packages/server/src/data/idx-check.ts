/** @file Checks an IDX file piece by piece, in constant memory, as it passes by. */
import { AppError } from "@gristmill/contract";
import { type IdxHeader, type IdxKind, type IdxLimits, malformed, parseIdxHeader } from "./idx.ts";

/** What is known of a file that passed. */
export interface CheckedIdx {
  readonly header: IdxHeader;
  /** Of labels: how many records have each number, up to the greatest that occurs. Of images: empty. */
  readonly counts: readonly number[];
}

/** Push all pieces, then `end`. Each throws AppError as `parseIdxHeader` does, and `data.mismatch` for a label without a class. */
export class IdxCheck {
  readonly #kind: IdxKind;
  readonly #title: string;
  readonly #limits: IdxLimits;
  readonly #classes: number;
  readonly #counts = new Array<number>(256).fill(0);
  #head: Uint8Array = new Uint8Array(0);
  #header: IdxHeader | undefined;
  #received = 0;

  /** @param options.classes labels are below this; default 256. */
  constructor(
    kind: IdxKind,
    title: string,
    options: { readonly limits: IdxLimits; readonly classes?: number | undefined },
  ) {
    this.#kind = kind;
    this.#title = title;
    this.#limits = options.limits;
    this.#classes = options.classes ?? 256;
  }

  /** Share of the announced bytes that came, 0 to 1. */
  get progress(): number {
    return this.#header === undefined ? 0 : this.#received / this.#header.totalBytes;
  }

  push(piece: Uint8Array): void {
    const before = this.#received;
    this.#received += piece.length;
    if (this.#header === undefined) {
      this.#head = Buffer.concat([this.#head, piece]);
      this.#header = parseIdxHeader(this.#kind, this.#title, this.#head, this.#limits);
      if (this.#header === undefined) return;
      const body = this.#head.subarray(this.#header.offset);
      this.#head = new Uint8Array(0);
      this.#take(body, 0);
    } else this.#take(piece, before - this.#header.offset);
    // At once, so that a small file that unpacks without end is stopped here.
    if (this.#received > this.#header.totalBytes) throw this.#wrongLength(this.#header, "at least ");
  }

  end(): CheckedIdx {
    const header = this.#header;
    if (header === undefined)
      throw malformed(this.#title, `expected an IDX header, received only ${this.#received} bytes`, {
        received_bytes: this.#received,
      });
    if (this.#received !== header.totalBytes) throw this.#wrongLength(header, "");
    const used = this.#kind === "labels" ? this.#counts.findLastIndex((count) => count > 0) + 1 : 0;
    return { header, counts: this.#counts.slice(0, used) };
  }

  #take(body: Uint8Array, position: number): void {
    if (this.#kind !== "labels") return;
    const counts = this.#counts;
    for (let i = 0; i < body.length; i++) {
      const label = body[i] ?? 0;
      if (label >= this.#classes) throw this.#noSuchClass(label, position + i);
      counts[label] = (counts[label] ?? 0) + 1;
    }
  }

  #noSuchClass(label: number, record: number): AppError {
    return new AppError(
      "data.mismatch",
      `${this.#title}: record ${record} has the label ${label}, but class_names has ${this.#classes} names (labels 0 to ${this.#classes - 1}).`,
      { details: { file: this.#title, record, label, classes: this.#classes } },
    );
  }

  #wrongLength(header: IdxHeader, atLeast: string): AppError {
    return malformed(
      this.#title,
      `expected ${header.totalBytes} bytes (${header.records} records of ${header.recordBytes} after a header of ${header.offset}), received ${atLeast}${this.#received}`,
      { expected_bytes: header.totalBytes, received_bytes: this.#received },
    );
  }
}
