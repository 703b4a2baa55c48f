/** @file A key that a home makes once and keeps in a file that only its owner can read. */
import { randomUUID } from "node:crypto";
import { chmod, link, readFile, rm, writeFile } from "node:fs/promises";
import { AppError } from "@gristmill/contract";

/** A file with one key, of 32 characters or more. */
export interface KeyFile {
  readonly path: string;
  /** Makes the key, if there is none. */
  readonly make: () => string;
  /** For the error when the file holds something else: "… does not hold an admin key: delete it …". */
  readonly complaint: string;
}

/** Reads the key, or makes it. @throws AppError `config.invalid` when the file holds no key. */
export async function keyOf({ path, make, complaint }: KeyFile): Promise<string> {
  const key = (await read(path)) ?? (await write(path, make()));
  if (/^\S{32,}$/.test(key)) return key;
  throw new AppError("config.invalid", `${path} ${complaint}`);
}

/** Written beside and linked: a crash leaves no half key, and of two starters both read the same one. */
async function write(path: string, key: string): Promise<string> {
  const beside = `${path}.${randomUUID()}`;
  await writeFile(beside, `${key}\n`, { mode: 0o600, flush: true });
  try {
    await link(beside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(beside, { force: true });
  }
  return (await read(path)) ?? "";
}

async function read(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, "utf8");
    await chmod(path, 0o600);
    return text.trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
