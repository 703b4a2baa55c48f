/** @file The folder of all data, and the note in it of who serves it. */
import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "@gristmill/contract";
import { processStart } from "./children/index.ts";

/** Makes the home and its folders, for its owner only. @throws AppError `home.not_writable`. */
export async function prepareHome(home: string): Promise<void> {
  try {
    await makeFolder(home);
    for (const folder of ["objects", "work", "children", "log"])
      await mkdir(join(home, folder), { recursive: true, mode: 0o700 });
    // Permissions, read-only disks and full ones show only when something is written.
    const probe = join(home, `.write-probe-${randomUUID()}`);
    await writeFile(probe, "x");
    await rm(probe);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new AppError("home.not_writable", `The home ${home} can't be written: ${code ?? message}.`, { cause });
  }
}

const recordFile = (home: string): string => join(home, "server.json");

/** Says which process serves this home and where, so that the command line finds it. */
export async function recordServer(home: string, url: string): Promise<void> {
  const startTime = processStart(process.pid)?.split(":").at(-1) ?? null;
  const part = `${recordFile(home)}.${process.pid}`;
  await writeFile(part, `${JSON.stringify({ pid: process.pid, startTime, url })}\n`, { mode: 0o600 });
  await rename(part, recordFile(home));
}

/** The home is served no more. */
export async function forgetServer(home: string): Promise<void> {
  await rm(recordFile(home), { force: true });
}

/** Node's own recursive mkdir never returns where a parent exists but takes no folders (`/proc/x`: ENOENT again and again). */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(folder)).isDirectory()) return;
    if (code !== "ENOENT" || (await exists(dirname(folder)))) throw cause;
    await makeFolder(dirname(folder));
    await makeFolder(folder);
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
