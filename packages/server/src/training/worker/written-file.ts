/** @file Files that are whole or absent: written beside, made durable, then renamed. */
import { createHash } from "node:crypto";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";

/** A file of the run's folder, with what main compares it with. */
export interface WrittenFile {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Writes a file of the folder. */
export async function writeWholeFile(folder: string, file: string, bytes: Uint8Array): Promise<WrittenFile> {
  const beside = join(folder, `${file}.part`);
  await using handle = await open(beside, "w", 0o600);
  await handle.writeFile(bytes);
  await handle.sync();
  await rename(beside, join(folder, file));
  return { file, sha256: createHash("sha256").update(bytes).digest("hex"), sizeBytes: bytes.length };
}
