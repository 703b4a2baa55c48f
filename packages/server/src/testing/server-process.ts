/** @file The server as a process of its own, for tests that stop, kill and restart it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stopServer } from "../db/embedded/embedded.ts";
import { databaseFolder, locationFile } from "../db/embedded/location.ts";
import { postmasterOf } from "../db/embedded/lock-file.ts";
import { makePlaces, type Places, serverUser } from "../db/embedded/places.ts";

const main = join(import.meta.dirname, "../main.ts");

/** One process of the server. */
export interface ServerProcess {
  readonly child: ChildProcess;
  /** The exit code; null when it was killed. */
  readonly ended: Promise<number | null>;
  /** All that it has printed. */
  output(): string;
  /** The URL of the ready line. */
  ready(): Promise<string>;
}

/** A home in a temporary folder and the processes on it. */
export class TestHome {
  readonly path: string;
  readonly #running: ServerProcess[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<TestHome> {
    return new TestHome(await mkdtemp(join(tmpdir(), "gm-")));
  }

  /** Starts `main.ts`; on a free port. */
  launch(environment: Readonly<Record<string, string>> = {}, args: readonly string[] = []): ServerProcess {
    const child = spawn(process.execPath, [main, ...args], {
      env: { PATH: process.env["PATH"], GRISTMILL_HOME: this.path, GRISTMILL_PORT: "0", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const server = { child, ended, output: () => output, ready: () => urlOf(child, () => output) };
    this.#running.push(server);
    return server;
  }

  async adminKey(): Promise<string> {
    return (await readFile(join(this.path, "admin-key"), "utf8")).trim();
  }

  /** Where its embedded PostgreSQL is. */
  async places(): Promise<Places> {
    const user = await serverUser();
    return await makePlaces(await databaseFolder(this.path, user), user);
  }

  /** The pid of its PostgreSQL. */
  async databasePid(): Promise<number | undefined> {
    return await postmasterOf((await this.places()).data);
  }

  /** Ends all processes and removes everything. */
  async remove(): Promise<void> {
    for (const server of this.#running) {
      server.child.kill("SIGKILL");
      await server.ended;
    }
    if (existsSync(join(this.path, locationFile)) || existsSync(join(this.path, "postgres"))) {
      const places = await this.places();
      await stopServer(places);
      await rm(join(places.clusters, ".."), { recursive: true, force: true });
    }
    await rm(this.path, { recursive: true, force: true });
  }
}

async function urlOf(child: ChildProcess, output: () => string): Promise<string> {
  for (;;) {
    const url = /ready at (\S+)/.exec(output())?.[1];
    if (url !== undefined) return url;
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${output()}`);
    await sleep(20);
  }
}
