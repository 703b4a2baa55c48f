/** @file The local home: its admin key, and which server runs on it. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Variables of the process. */
export type Env = Readonly<Record<string, string | undefined>>;

/** A server that serves a home: what it writes itself into `server.json` once it is ready. */
export interface ServerRecord {
  readonly pid: number;
  /** Of /proc/<pid>/stat, field 22: tells a process from a later one with the same number. null where there is no /proc. */
  readonly startTime: string | null;
  readonly url: string;
}

/** The data folder: GRISTMILL_HOME, default ~/.gristmill. */
export const homeOf = (env: Env): string => resolve(env["GRISTMILL_HOME"] || join(homedir(), ".gristmill"));

/** Where a server with these variables listens, as a client on this machine calls it. */
export function defaultUrl(env: Env): string {
  const host = env["GRISTMILL_HOST"] || "127.0.0.1";
  const isAny = host === "0.0.0.0" || host === "::";
  const name = isAny ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${env["GRISTMILL_PORT"] || "7070"}`;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    // Absent, or not ours to read: the caller says what is missing and how to give it.
    if (error instanceof Error && "code" in error && ["ENOENT", "EACCES", "ENOTDIR"].includes(String(error.code)))
      return undefined;
    throw error;
  }
}

/** The admin key that the server made on its first start. */
export async function readAdminKey(home: string): Promise<string | undefined> {
  const key = (await readText(join(home, "admin-key")))?.trim();
  return key === "" ? undefined : key;
}

const recordPath = (home: string): string => join(home, "server.json");

/** The server of the home; undefined when none is ready, or when its process is gone. */
export async function findServer(home: string): Promise<ServerRecord | undefined> {
  const text = await readText(recordPath(home));
  if (text === undefined) return undefined;
  const record = parseRecord(text);
  return record !== undefined && (await isAlive(record)) ? record : undefined;
}

function parseRecord(text: string): ServerRecord | undefined {
  try {
    const { pid, startTime, url } = JSON.parse(text) as Partial<ServerRecord>;
    if (!Number.isInteger(pid) || pid === undefined || pid <= 1 || typeof url !== "string") return undefined;
    return { pid, startTime: typeof startTime === "string" ? startTime : null, url };
  } catch {
    // Written half by a killed process: as good as none.
    return undefined;
  }
}

/** True while the very process of the record lives. */
export async function isAlive({ pid, startTime }: ServerRecord): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  return startTime === null || (await startTimeOf(pid)) === startTime;
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  // A process may end between the opening of the file and its reading (ESRCH): whatever fails, it is not known to live.
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field, the name, may hold spaces and brackets; the 22nd is the 20th behind it.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie has ended; only its parent has not asked yet.
  return fields?.[0] === "Z" ? undefined : fields?.[19];
}
