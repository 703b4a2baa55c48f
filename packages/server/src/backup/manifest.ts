/** @file What a backup file says about itself. */
import { AppError } from "@gristmill/contract";
import { z } from "zod";

/** Raised when an older version could not read the file. */
export const backupFormat = 1;

/** Entries of the file beside tables and objects. */
export const manifestEntry = "manifest.json";
/** The entry that says the manifest's hash, so that a damaged manifest is found too. */
export const manifestHashEntry = "manifest.sha256";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);
const size = z.number().int().min(0);

const manifest = z.strictObject({
  product: z.literal("gristmill"),
  format: z.number().int().min(1),
  /** Of the program that wrote the file. */
  version: z.string().max(100),
  created_at: z.iso.datetime(),
  migrations: z.array(z.strictObject({ name: z.string().max(200), checksum: sha256 })).max(10_000),
  tables: z
    .array(z.strictObject({ name, columns: z.array(name).min(1), rows: size, size_bytes: size, sha256 }))
    .max(10_000),
  /** Partitions by the lower end of their range. */
  partitions: z.array(z.strictObject({ table: name, from: z.string().max(100) })).max(100_000),
  sequences: z.array(z.strictObject({ name, last: z.string().regex(/^-?\d{1,19}$/) })).max(10_000),
  objects: z.array(z.strictObject({ sha256, size_bytes: size })),
});

/** Everything in the file, with its hash. */
export type Manifest = z.infer<typeof manifest>;
/** What the manifest says of one table. */
export type ManifestTable = Manifest["tables"][number];

/** Where a table's rows and an object's bytes are in the file. */
export const tableEntry = (table: string): string => `tables/${table}.copy`;
/** Name of an object's entry. */
export const objectEntry = (hash: string): string => `objects/${hash}`;

/** The failure of every file that is no backup of ours, whole and readable. */
export const invalidBackup = (problem: string, cause?: unknown): AppError =>
  new AppError("backup.invalid", `The backup can't be restored: ${problem}.`, { cause });

/** @throws AppError `backup.invalid`. */
export function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalidBackup("its manifest is damaged", cause);
  }
  // Asked first: a newer format may look different in everything else.
  const format = z.object({ format: z.number() }).safeParse(value).data?.format ?? 0;
  if (format > backupFormat)
    throw invalidBackup(`its format is ${format}, and this version of Gristmill reads up to ${backupFormat}`);
  const parsed = manifest.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidBackup(`its manifest is damaged (${parsed.error.issues[0]?.path.join(".")})`, parsed.error);
}
