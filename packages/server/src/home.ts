/** @file The folder of all data. */
import { randomUUID } from "node:crypto";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "@gristmill/contract";

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
