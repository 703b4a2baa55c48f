import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stopServer } from "./db/embedded/embedded.ts";
import { databaseFolder, locationFile } from "./db/embedded/location.ts";
import { postmasterOf } from "./db/embedded/lock-file.ts";
import { makePlaces, type Places, serverUser } from "./db/embedded/places.ts";
import { isAlive } from "./db/embedded/processes.ts";
import { databaseUrl } from "./testing/app.ts";
import { testDatabase } from "./testing/database.ts";

const main = join(import.meta.dirname, "main.ts");
let home: string;
const running: Server[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gm-"));
});

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.child.kill("SIGKILL");
    await server.ended;
  }
  if (existsSync(join(home, locationFile)) || existsSync(join(home, "postgres"))) {
    const places = await placesOfHome();
    await stopServer(places);
    await rm(join(places.clusters, ".."), { recursive: true, force: true });
  }
  await rm(home, { recursive: true, force: true });
});

async function placesOfHome(): Promise<Places> {
  const user = await serverUser();
  return await makePlaces(await databaseFolder(home, user), user);
}

interface Server {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly output: () => string;
  /** The URL of the ready line. */
  ready(): Promise<string>;
}

function launch(environment: Record<string, string> = {}, args: readonly string[] = []): Server {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env["PATH"], GRISTMILL_HOME: home, GRISTMILL_PORT: "0", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const server: Server = {
    child,
    ended,
    output: () => output,
    ready: async () => {
      for (;;) {
        const url = /ready at (\S+)/.exec(output)?.[1];
        if (url !== undefined) return url;
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${output}`);
        await sleep(20);
      }
    },
  };
  running.push(server);
  return server;
}

const adminKey = async (): Promise<string> => (await readFile(join(home, "admin-key"), "utf8")).trim();

/** A request whose body is not finished: it is under way until `finish`. */
async function unfinished(url: string): Promise<{ finish(): Promise<number> }> {
  const body = JSON.stringify({ name: "slow" });
  const outgoing = request(`${url}/api/projects`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${await adminKey()}`,
      "content-type": "application/json",
      "content-length": body.length,
    },
  });
  const answered = new Promise<number>((resolve, reject) => {
    outgoing.once("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.once("error", reject);
  });
  answered.catch(() => {}); // looked at in `finish`
  await new Promise((resolve) => outgoing.write(body.slice(0, 5), resolve));
  await sleep(200);
  return {
    finish: () => {
      outgoing.end(body.slice(5));
      return answered;
    },
  };
}

describe("a start", () => {
  test("says where it is ready and where the key is, but not the key to what is no terminal", async () => {
    const server = launch();
    await server.ready();
    await sleep(50);
    expect(server.output()).toContain(join(home, "admin-key"));
    expect(server.output()).not.toContain(await adminKey());
    expect(await readFile(join(home, "log", "gristmill.log"), "utf8")).toContain('"message":"ready"');
  });

  test("with DATABASE_URL uses that database, starts none, and is its one owner", async () => {
    const database = await testDatabase();
    const environment = { DATABASE_URL: databaseUrl(database.connection) };
    const server = launch(environment);
    const url = await server.ready();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(existsSync(join(home, locationFile))).toBe(false);
    const second = launch({ ...environment, GRISTMILL_HOME: join(home, "second") });
    expect(await second.ended).toBe(5);
    expect(second.output()).toMatch(/home\.in_use/);
    server.child.kill("SIGINT");
    expect(await server.ended).toBe(0);
    await database.close();
  });

  test("with a database that is not there says so in one line", async () => {
    const server = launch({ DATABASE_URL: "postgres://nobody:secret@127.0.0.1:1/none" });
    expect(await server.ended).toBe(1);
    expect(server.output()).toMatch(/database\.unavailable/);
    expect(server.output()).not.toMatch(/secret|\n\s+at /);
  });

  test("help prints every setting", async () => {
    const server = launch({}, ["help"]);
    expect(await server.ended).toBe(0);
    expect(server.output()).toContain("GRISTMILL_HOME");
  });
});

describe("a stop", () => {
  test("by Ctrl-C lets a request under way finish, refuses others, and stops PostgreSQL", async () => {
    const server = launch();
    const url = await server.ready();
    const slow = await unfinished(url);
    const pid = (await postmasterOf((await placesOfHome()).data)) ?? 0;
    expect(isAlive(pid)).toBe(true);
    server.child.kill("SIGINT");
    await sleep(100);
    expect(await slow.finish()).toBe(201);
    expect(await server.ended).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });

  test("by a second Ctrl-C ends at once, and PostgreSQL stops by itself", async () => {
    const server = launch({ GRISTMILL_STOP_SECONDS: "600" });
    const url = await server.ready();
    await unfinished(url);
    const pid = (await postmasterOf((await placesOfHome()).data)) ?? 0;
    server.child.kill("SIGINT");
    while (!server.output().includes("Press Ctrl-C again")) await sleep(10);
    await sleep(100);
    server.child.kill("SIGINT");
    expect(await server.ended).toBe(130);
    while (isAlive(pid)) await sleep(20);
  });
});

describe("kill -9", () => {
  test("of the server: the next start takes over its PostgreSQL, with all data", async () => {
    const first = launch();
    const url = await first.ready();
    const headers = { authorization: `Bearer ${await adminKey()}`, "content-type": "application/json" };
    const body = JSON.stringify({ name: "kept" });
    expect((await fetch(`${url}/api/projects`, { method: "POST", headers, body })).status).toBe(201);
    const pid = await postmasterOf((await placesOfHome()).data);
    first.child.kill("SIGKILL");
    await first.ended;
    const second = launch();
    const again = await second.ready();
    expect(await postmasterOf((await placesOfHome()).data)).toBe(pid);
    expect((await fetch(`${again}/api/projects/kept`, { headers })).status).toBe(200);
  });

  test("of PostgreSQL: requests are refused as database.unavailable until it is back; the server lives", async () => {
    const server = launch();
    const url = await server.ready();
    const headers = { authorization: `Bearer ${await adminKey()}` };
    const ask = () => fetch(`${url}/api/projects`, { headers });
    expect((await ask()).status).toBe(200);
    const places = await placesOfHome();
    const pid = (await postmasterOf(places.data)) ?? 0;
    process.kill(pid, "SIGKILL");
    const seen = new Set<string>();
    for (;;) {
      const answer = await ask();
      const { error } = (await answer.json()) as { error?: { code: string; retryable: boolean } };
      if (error !== undefined) seen.add(`${answer.status} ${error.code} ${error.retryable}`);
      else if (seen.size > 0) break;
      await sleep(5);
    }
    expect([...seen]).toEqual(["503 database.unavailable true"]);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await postmasterOf(places.data)).not.toBe(pid);
    server.child.kill("SIGTERM");
    expect(await server.ended).toBe(0);
  });
});
