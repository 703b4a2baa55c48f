/**
 * @file Which folder holds a home's database. Usually `<home>/postgres`. As root the home may be a folder that no other user
 * can enter (/root, a private clone), so the database lives in /var/lib/gristmill and the home says where in a small file.
 */
import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@gristmill/contract";
import type { ServerUser } from "./places.ts";

/** Where root keeps programs and databases of all homes. */
export const sharedFolder = "/var/lib/gristmill";

/** Name of the small file in the home. */
export const locationFile = "postgres-folder";

/** Finds, or decides once, the folder of this home's database. The home exists and is absolute. */
export async function databaseFolder(home: string, user: ServerUser | undefined): Promise<string> {
  if (user === undefined) {
    const base = join(home, "postgres");
    await mkdir(base, { recursive: true, mode: 0o700 });
    return base;
  }
  await mkdir(sharedFolder, { recursive: true, mode: 0o755 });
  const base = (await read(join(home, locationFile))) ?? (await decide(home));
  await mkdir(base, { recursive: true, mode: 0o755 });
  await claim(base, home);
  return base;
}

/** The first name that no home has used: a database left by a home that was deleted must not come back in a new one. */
async function decide(home: string): Promise<string> {
  const hash = createHash("sha256").update(home).digest("hex").slice(0, 12);
  for (let count = 1; ; count++) {
    const base = join(sharedFolder, count === 1 ? hash : `${hash}-${count}`);
    const isNew = await mkdir(base, { mode: 0o755 }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false;
        throw error;
      },
    );
    if (isNew) return remember(home, base);
  }
}

/** Written beside and linked, so that of two starters one decides, and a reader never sees half a path. */
async function remember(home: string, base: string): Promise<string> {
  const file = join(home, locationFile);
  const beside = `${file}.${randomUUID()}`;
  await writeFile(beside, `${base}\n`, { mode: 0o600, flush: true });
  try {
    await link(beside, file);
    return base;
  } catch (error) {
    const first = await read(file);
    if (first === undefined) throw error;
    return first;
  } finally {
    await unlink(beside);
  }
}

/** A home may be moved, but a copy of a home must not share the database of the first. */
async function claim(base: string, home: string): Promise<void> {
  const file = join(base, "home");
  const owner = await read(file);
  if (owner === home) return;
  if (owner !== undefined && (await read(join(owner, locationFile))) === base)
    throw new AppError(
      "home.in_use",
      `${home} is a copy of ${owner}, and the database of both would be ${base}: use \`gristmill backup\` and \`gristmill restore\` to copy a home.`,
    );
  await writeFile(file, `${home}\n`, { mode: 0o644, flush: true });
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
