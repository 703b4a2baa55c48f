/** @file What a dataset version is: pure, from checked files to a manifest and its hash. */
import { createHash } from "node:crypto";
import { AppError } from "@gristmill/contract";
import type { CheckedIdx } from "./idx-check.ts";

/** A checked file, and the hash of its unpacked bytes. */
export interface StagedFile extends CheckedIdx {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** The two files of a split. */
export interface StagedSplit {
  readonly name: string;
  readonly images: StagedFile;
  readonly labels: StagedFile;
}

/** A stored file: its object, and where records begin in it. */
export interface ManifestFile {
  readonly sha256: string;
  readonly offset: number;
}

/** One split of a version. */
export interface ManifestSplit {
  readonly name: string;
  readonly records: number;
  readonly classCounts: readonly number[];
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly images: ManifestFile;
  readonly labels: ManifestFile;
}

/** All that a version says; stored as JSON while an import is being finished. */
export interface Manifest {
  readonly sha256: string;
  readonly recordShape: readonly number[];
  readonly classNames: readonly string[];
  readonly sizeBytes: number;
  readonly splits: readonly ManifestSplit[];
}

/**
 * Joins checked files into a version. Splits are in order of their names, so that the hash depends on content alone.
 * @param classNames default: the label numbers as text, up to the greatest in any split.
 * @throws AppError `data.mismatch` when counts of images and labels, or the record shapes of splits, differ.
 */
export function assembleManifest(staged: readonly StagedSplit[], classNames: readonly string[] | undefined): Manifest {
  for (const { name, images, labels } of staged) refuseDifferentCounts(name, images, labels);
  const splits = staged.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const recordShape = sharedShape(splits);
  const classes = Math.max(...splits.map(({ labels }) => labels.counts.length));
  const names = classNames ?? Array.from({ length: classes }, (_, label) => String(label));
  const described = splits.map((split) => describeSplit(split, names.length));
  return {
    sha256: hashOf({
      format: "idx",
      dtype: "uint8",
      record_shape: recordShape,
      class_names: names,
      splits: described.map(({ name, sha256 }) => ({ name, sha256 })),
    }),
    recordShape,
    classNames: names,
    sizeBytes: described.reduce((sum, split) => sum + split.sizeBytes, 0),
    splits: described,
  };
}

/** The objects that a version names, each once, sorted (locks are taken in this order). */
export const objectsOf = (manifest: Manifest): readonly string[] =>
  [...new Set(manifest.splits.flatMap(({ images, labels }) => [images.sha256, labels.sha256]))].sort();

function describeSplit({ name, images, labels }: StagedSplit, classes: number): ManifestSplit {
  const { records } = images.header;
  return {
    name,
    records,
    classCounts: Array.from({ length: classes }, (_, label) => labels.counts[label] ?? 0),
    sha256: hashOf({ records, images: images.sha256, labels: labels.sha256 }),
    sizeBytes: images.sizeBytes + labels.sizeBytes,
    images: { sha256: images.sha256, offset: images.header.offset },
    labels: { sha256: labels.sha256, offset: labels.header.offset },
  };
}

function refuseDifferentCounts(split: string, images: StagedFile, labels: StagedFile): void {
  if (images.header.records === labels.header.records) return;
  throw new AppError(
    "data.mismatch",
    `Split "${split}": ${images.header.records} images, but ${labels.header.records} labels.`,
    { details: { split, images: images.header.records, labels: labels.header.records } },
  );
}

function sharedShape(splits: readonly StagedSplit[]): readonly number[] {
  const [first, ...rest] = splits;
  if (first === undefined) throw new AppError("request.invalid", "A dataset needs at least one split.");
  const shape = first.images.header.recordShape;
  for (const { name, images } of rest)
    if (images.header.recordShape.join() !== shape.join())
      throw new AppError(
        "data.mismatch",
        `Split "${name}" has images of ${images.header.recordShape.join(" x ")}, but "${first.name}" has ${shape.join(" x ")}.`,
        { details: { [first.name]: shape, [name]: images.header.recordShape } },
      );
  return shape;
}

/** Property order is that of the literals above, so the text is canonical. */
const hashOf = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex");
