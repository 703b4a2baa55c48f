/** @file Who signed in on this machine: `session.json` in the home, readable by its owner alone. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SessionCredentials } from "@gristmill/sdk";

/** A person's session on one platform. */
export interface SavedSession extends SessionCredentials {
  readonly url: string;
  readonly email: string;
}

const pathOf = (home: string): string => join(home, "session.json");

/** undefined: nobody, or somebody on another platform. */
export async function readSession(home: string, url: string): Promise<SavedSession | undefined> {
  let saved: Partial<SavedSession>;
  try {
    saved = JSON.parse(await readFile(pathOf(home), "utf8")) as Partial<SavedSession>;
  } catch {
    // Absent, not ours to read, or no JSON: as good as nobody.
    return undefined;
  }
  const { email, cookie, csrfToken } = saved;
  if (saved.url !== url || email === undefined || cookie === undefined || csrfToken === undefined) return undefined;
  return { url, email, cookie, csrfToken };
}

/** Replaces who was there. */
export async function saveSession(home: string, session: SavedSession): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const part = `${pathOf(home)}.part`;
  await writeFile(part, JSON.stringify(session), { mode: 0o600 });
  await rename(part, pathOf(home));
}

/** Forgets them. */
export const forgetSession = (home: string): Promise<void> => rm(pathOf(home), { force: true });
