/** @file The admin key of a home: the operator's own, or made once and kept in a file that only its owner can read. */
import { randomUUID } from "node:crypto";
import { chmod, link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@gristmill/contract";
import { makeAdminKey, type RandomBytes } from "./secret.ts";

/** Name of the file in the home. */
export const adminKeyFile = "admin-key";

/** Reads the key of this home, or makes it. @throws AppError `config.invalid` when the file holds no key. */
export async function homeAdminKey(home: string, random: RandomBytes): Promise<string> {
  const file = join(home, adminKeyFile);
  const key = (await read(file)) ?? (await make(file, random));
  if (/^\S{32,}$/.test(key)) return key;
  throw new AppError("config.invalid", `${file} does not hold an admin key: delete it and a new one is made.`);
}

/** Written beside and linked: a crash leaves no half key, and of two starters both read the same one. */
async function make(file: string, random: RandomBytes): Promise<string> {
  const beside = `${file}.${randomUUID()}`;
  await writeFile(beside, `${makeAdminKey(random)}\n`, { mode: 0o600, flush: true });
  try {
    await link(beside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(beside, { force: true });
  }
  return (await read(file)) ?? "";
}

async function read(file: string): Promise<string | undefined> {
  try {
    const text = await readFile(file, "utf8");
    await chmod(file, 0o600);
    return text.trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
