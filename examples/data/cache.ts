/** @file Where fetched and prepared data stays between runs: a folder of the user's cache, never of the project. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** `GRISTMILL_EXAMPLES_CACHE`, else `gristmill/examples` in the user's cache folder. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const own = env["GRISTMILL_EXAMPLES_CACHE"];
  if (own !== undefined && own !== "") return own;
  const caches = env["XDG_CACHE_HOME"] || env["LOCALAPPDATA"] || join(homedir(), ".cache");
  return join(caches, "gristmill", "examples");
}

/**
 * A folder of the cache, filled by `fill` when it is not there. It appears whole or not at all: `fill` works on a folder
 * beside it that is renamed at the end, so an interrupted or failed one leaves nothing, and of two at once one wins.
 */
export async function cached(
  name: string,
  fill: (folder: string) => Promise<void>,
  root: string = cacheFolder(),
): Promise<string> {
  const folder = join(root, name);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.part-`);
  try {
    await fill(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else another process was faster: its folder is as good as ours
  }
  return folder;
}
