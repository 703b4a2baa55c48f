/** @file A real platform as its own process, on a home and a port of its own, for tests that kill and restart it. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A folder for one test's home; removed with everything that the platform keeps elsewhere for it. */
export class Home {
  readonly path = join(mkdtempSync(join(tmpdir(), "gm-e2e-")), "home");

  /** What the file `postgres` in the home says: where database files live when they are not in the home. */
  remove(): void {
    for (const folder of this.#outside()) rmSync(folder, { recursive: true, force: true });
    rmSync(join(this.path, ".."), { recursive: true, force: true });
  }

  #outside(): string[] {
    const file = join(this.path, "postgres-folder");
    return existsSync(file)
      ? [readFileSync(file, "utf8").trim()].filter((folder) => folder.startsWith("/var/lib/gristmill/"))
      : [];
  }
}

/**
 * A port that nothing listens on now. Drawn from below the range that the kernel hands out by itself (32768 and up): a port of
 * that range can be taken by any connection of another test before the platform listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** A running platform. */
export class Platform {
  readonly url: string;
  readonly process: ChildProcess;
  readonly #home: Home;
  #output = "";

  private constructor(url: string, child: ChildProcess, home: Home) {
    this.url = url;
    this.process = child;
    this.#home = home;
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-20_000);
      });
  }

  /** Starts the server and waits until it is ready; fails with its output when it ends before. */
  static async start(home: Home, environment: Readonly<Record<string, string>> = {}): Promise<Platform> {
    const platform = await Platform.launch(home, environment);
    await platform.ready();
    return platform;
  }

  /** Starts the server without waiting. */
  static async launch(home: Home, environment: Readonly<Record<string, string>> = {}): Promise<Platform> {
    const port = environment["GRISTMILL_PORT"] ?? String(await freePort());
    const child = spawn(process.execPath, ["packages/server/src/main.ts"], {
      env: { PATH: process.env["PATH"], GRISTMILL_HOME: home.path, GRISTMILL_PORT: port, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Platform(`http://127.0.0.1:${port}`, child, home);
  }

  /** Resolves when /readyz answers 200. */
  async ready(): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      if (this.process.exitCode !== null)
        throw new Error(`the platform ended with ${this.process.exitCode}:\n${this.#output}`);
      try {
        if ((await fetch(`${this.url}/readyz`)).ok) return;
      } catch {
        // Not listening yet.
      }
      await sleep(50);
    }
    throw new Error(`the platform was not ready in 30 s:\n${this.#output}`);
  }

  get adminKey(): string {
    return readFileSync(join(this.#home.path, "admin-key"), "utf8").trim();
  }

  /** What it has printed, the last 20,000 characters. */
  get output(): string {
    return this.#output;
  }

  /** A request with the admin key; JSON in and out. */
  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    key: string = this.adminKey,
  ): Promise<{ status: number; body: T }> {
    const isBytes = body instanceof Uint8Array || body instanceof FormData;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && !isBytes ? { "content-type": "application/json" } : {}),
        ...(body instanceof Uint8Array ? { "content-type": "application/octet-stream" } : {}),
      },
      ...(body === undefined ? {} : { body: isBytes ? (body as FormData) : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === "" ? undefined : JSON.parse(text)) as T };
  }

  /** A request that must be answered with `status`; gives the body. */
  async expect<T>(status: number, method: string, path: string, body?: unknown, key?: string): Promise<T> {
    const answer = await this.call<T>(method, path, body, key);
    if (answer.status !== status)
      throw new Error(
        `${method} ${path}: expected ${status}, received ${answer.status}: ${JSON.stringify(answer.body)}\n${this.#output}`,
      );
    return answer.body;
  }

  /** Polls a resource until a condition holds. */
  async until<T>(path: string, condition: (resource: T) => boolean, seconds = 60): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const { body } = await this.call<T>("GET", path);
      if (condition(body)) return body;
      if (Date.now() > deadline)
        throw new Error(`${path} after ${seconds} s: ${JSON.stringify(body)}\n${this.#output}`);
      await sleep(50);
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await gone;
  }

  /** Ctrl-C; resolves with the exit code. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGINT");
    await gone;
    return this.process.exitCode;
  }
}
