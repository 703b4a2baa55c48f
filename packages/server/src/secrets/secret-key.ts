/** @file The secret key of a home: the operator's own, or made once and kept in a file that only its owner can read. */
import { randomUUID } from "node:crypto";
import { chmod, link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@gristmill/contract";

/** Name of the file in the home. Who loses it loses what is sealed: a backup of the home needs it too. */
export const secretKeyFile = "secret-key";

/** Bytes of randomness in a key that we make. */
const keyBytes = 32;

/** Reads the key of this home, or makes it. @throws AppError `config.invalid` when the file holds no key. */
export async function homeSecretKey(home: string, random: (count: number) => Uint8Array): Promise<string> {
  const file = join(home, secretKeyFile);
  const key = (await read(file)) ?? (await make(file, random));
  if (/^\S{32,}$/.test(key)) return key;
  // Not made anew: what the lost one has sealed could never be opened again.
  throw new AppError("config.invalid", `${file} does not hold a secret key: restore it from a backup of the home.`);
}

/** Written beside and linked: a crash leaves no half key, and of two starters both read the same one. */
async function make(file: string, random: (count: number) => Uint8Array): Promise<string> {
  const beside = `${file}.${randomUUID()}`;
  const key = Buffer.from(random(keyBytes)).toString("base64url");
  await writeFile(beside, `${key}\n`, { mode: 0o600, flush: true });
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
