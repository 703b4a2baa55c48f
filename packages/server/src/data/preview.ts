/** @file Records to look at, as PNGs. */
import { buffer } from "node:stream/consumers";
import { AppError, type DatasetPreview, type PreviewQuery } from "@gristmill/contract";
import type { ObjectStore } from "../objects/index.ts";
import type { RecordShape } from "./idx.ts";
import { encodePng } from "./png.ts";
import type { SplitRow, VersionWithSplits } from "./store.ts";

/** Pixels of one answer; of larger pictures come fewer, at least one. */
const mostBytes = 16 * 2 ** 20;

/** @throws AppError `request.invalid` when the version has no such split; the details list them. */
export function findSplit(version: VersionWithSplits, name: string): SplitRow {
  const split = version.splits.find((candidate) => candidate.name === name);
  if (split !== undefined) return split;
  const splits = version.splits.map((candidate) => candidate.name);
  throw new AppError("request.invalid", `The dataset has no split "${name}"; it has ${splits.join(", ")}.`, {
    details: { split: name, splits },
  });
}

/** Reads only the records asked for. */
export async function previewRecords(
  objects: ObjectStore,
  version: VersionWithSplits,
  query: PreviewQuery,
): Promise<DatasetPreview> {
  const split = findSplit(version, query.split);
  const [height = 1, width = 1, channels = 1] = version.record_shape;
  const shape: RecordShape = [height, width, channels];
  const recordBytes = height * width * channels;
  const fitting = Math.max(1, Math.floor(mostBytes / recordBytes));
  const count = Math.max(0, Math.min(query.limit, fitting, split.records - query.offset));
  const [pixels, labels] = await Promise.all([
    readRange(objects, split.images_object, split.images_offset + query.offset * recordBytes, count * recordBytes),
    readRange(objects, split.labels_object, split.labels_offset + query.offset, count),
  ]);
  const records = await Promise.all(
    Array.from(labels, async (label, i) => ({
      index: query.offset + i,
      label,
      class_name: version.class_names[label] ?? String(label),
      png_base64: (await encodePng(pixels.subarray(i * recordBytes, (i + 1) * recordBytes), shape)).toString("base64"),
    })),
  );
  return { object: "dataset.preview", split: split.name, offset: query.offset, total: split.records, records };
}

async function readRange(objects: ObjectStore, sha256: string, start: number, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0);
  const bytes = await buffer(await objects.open(sha256, { start, end: start + length - 1 }));
  if (bytes.length === length) return bytes;
  throw new AppError("artifact.corrupt", `The object ${sha256} is shorter than it was stored.`, {
    details: { sha256 },
  });
}
