/** @file Where one embedded server lives, and under which user it runs. */
import { chmod, chown, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@gristmill/contract";

/** An unprivileged user. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** Folders of one embedded server. */
export interface Places {
  /** Holds the finished cluster, named by major version, and unfinished ones beside it. */
  readonly clusters: string;
  /** The cluster itself. */
  readonly data: string;
  /** Mode 0700: who may enter it may connect, so nobody else may. */
  readonly socket: string;
  readonly log: string;
  /** What a starting server says. Beside the server's own folders: root writes it, so the server's user must not be able to put a link there. */
  readonly startLog: string;
  /** undefined when this process is not root and runs the server as itself. */
  readonly user: ServerUser | undefined;
}

/** Major version of the packaged PostgreSQL; a cluster of another major version can't be opened by it. */
const major = "18";

/** `sun_path` holds 107 bytes; `/.s.PGSQL.5432.lock` takes 19 of them at most. */
const longestSocketFolder = 88;

/**
 * PostgreSQL refuses to run as root, so as root another user runs it: the first that exists of gristmill, postgres, nobody.
 * `initdb` needs an entry in passwd, so a bare uid will not do.
 */
export async function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const rows = (await readFile("/etc/passwd", "utf8")).split("\n").map((row) => row.split(":"));
  for (const name of ["gristmill", "postgres", "nobody"]) {
    const row = rows.find((fields) => fields[0] === name);
    if (row !== undefined) return { uid: Number(row[2]), gid: Number(row[3]) };
  }
  throw new AppError(
    "config.invalid",
    "PostgreSQL never runs as root, and none of the users gristmill, postgres and nobody exists: create one of them, or set DATABASE_URL.",
  );
}

/** A cluster can only be run by the user who made it, also when a better one exists by now. */
export async function ownerOf(base: string): Promise<ServerUser | undefined> {
  try {
    const { uid, gid } = await stat(join(base, "data", major));
    return uid === 0 ? undefined : { uid, gid };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Makes the folders under `base`, which the server's user must be able to enter.
 * @throws AppError `config.invalid` when the path is too long for a socket.
 */
export async function makePlaces(base: string, user: ServerUser | undefined): Promise<Places> {
  const socket = join(base, "run");
  if (Buffer.byteLength(socket) > longestSocketFolder)
    throw new AppError(
      "config.invalid",
      `The socket folder ${socket} has ${Buffer.byteLength(socket)} bytes, and a socket's folder may have ${longestSocketFolder}: set GRISTMILL_HOME to a shorter path.`,
    );
  const clusters = join(base, "data");
  const log = join(base, "log");
  for (const folder of [clusters, socket, log]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    if (user !== undefined) await chown(folder, user.uid, user.gid);
  }
  return { clusters, data: join(clusters, major), socket, log, startLog: join(base, "start.log"), user };
}
