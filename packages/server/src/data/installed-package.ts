/** @file Packages that are installed beside this program already: no network needed. */
import { readFile } from "node:fs/promises";
import { dirname, join, parse } from "node:path";
import { z } from "zod";

/** A package on this machine. */
export interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
}

const packageJson = z.object({ version: z.string() });

/**
 * Looks in `node_modules` of a folder and of all above it, as Node does.
 * @param name already checked to be a package name.
 * @param version exact, or undefined for any.
 */
export async function findInstalledPackage(
  from: string,
  name: string,
  version: string | undefined,
): Promise<InstalledPackage | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    const found = await readVersion(candidate);
    if (found !== undefined)
      return version === undefined || version === found ? { folder: candidate, version: found } : undefined;
    if (folder === parse(folder).root) return undefined;
  }
}

/** undefined where there is no package; a file that is no package.json is none. */
async function readVersion(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return packageJson.parse(JSON.parse(text)).version;
  } catch {
    // Somebody else's broken file: npm's client decides instead.
    return undefined;
  }
}
