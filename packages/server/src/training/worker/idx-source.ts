/** @file Records of two IDX files as training samples: read where they are, when they are wanted, so that memory holds one batch. */
import { closeSync, openSync, readSync } from "node:fs";
import type { Batch, Source } from "@gristmill/nn";
import type { SplitFiles } from "../../data/index.ts";
import type { LabelEncoding } from "../labels.ts";

/** How raw records become samples. */
export interface IdxSourceOptions {
  /** Multiplies the bytes. */
  readonly scale: number;
  readonly encoding: LabelEncoding;
  readonly classes: number;
}

/** Opens a split. `close` it; images are read record by record, labels (a byte each) are held. */
export function openIdxSource(files: SplitFiles, options: IdxSourceOptions): Source & { close(): void } {
  const [records, ...shape] = files.images.shape;
  const recordBytes = shape.reduce((product, size) => product * size, 1);
  const labels = readLabels(files.labels, records);
  const images = openSync(files.images.path, "r");
  const { encoding, classes } = options;
  return {
    length: records,
    x: { dtype: "uint8", shape, scale: options.scale },
    batch(indices: Uint32Array, into: Batch) {
      if (!(into.x instanceof Uint8Array)) throw new TypeError("idx source: expected to fill a Uint8Array");
      readRecords(images, files.images, recordBytes, indices, into.x);
      for (const [i, index] of indices.entries()) writeLabel(encoding, classes, labels[index] ?? 0, into.y, i);
    },
    close: () => closeSync(images),
  };
}

/** Neighbours are read together: in file order a whole batch is one call. */
function readRecords(
  file: number,
  { path, offset }: { readonly path: string; readonly offset: number },
  recordBytes: number,
  indices: Uint32Array,
  into: Uint8Array,
): void {
  for (let from = 0; from < indices.length; ) {
    const first = indices[from] ?? 0;
    let to = from + 1;
    while (to < indices.length && indices[to] === first + to - from) to++;
    readFully(file, path, into.subarray(from * recordBytes, to * recordBytes), offset + first * recordBytes);
    from = to;
  }
}

/** A read may stop early, at a signal for instance; at the end of the file it reads nothing. */
function readFully(file: number, path: string, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const read = readSync(file, into, done, into.length - done, position + done);
    if (read === 0) throw new Error(`${path}: expected ${into.length} bytes at ${position}, found ${done}`);
    done += read;
  }
}

function readLabels({ path, offset }: SplitFiles["labels"], records: number): Uint8Array {
  const labels = new Uint8Array(records);
  const file = openSync(path, "r");
  try {
    readFully(file, path, labels, offset);
  } finally {
    closeSync(file);
  }
  return labels;
}

/** The answer of the batch's sample `i`. */
function writeLabel(encoding: LabelEncoding, classes: number, label: number, into: Batch["y"], i: number): void {
  switch (encoding) {
    case "index":
    case "binary":
      into[i] = label;
      return;
    case "one-hot":
      into.fill(0, i * classes, (i + 1) * classes);
      into[i * classes + label] = 1;
  }
}
