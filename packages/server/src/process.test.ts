import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { locationFile } from "./db/embedded/location.ts";
import { isAlive } from "./db/embedded/processes.ts";
import { databaseUrl } from "./testing/app.ts";
import { testDatabase } from "./testing/database.ts";
import { TestHome } from "./testing/server-process.ts";

// Each test starts real servers, on machines that do other things at the same time.
vi.setConfig({ testTimeout: 120_000 });

let home: TestHome;
beforeEach(async () => {
  home = await TestHome.create();
});
afterEach(() => home.remove());

/** A request whose body is not finished: it is under way until `finish`. */
async function unfinished(url: string): Promise<{ finish(): Promise<number> }> {
  const body = JSON.stringify({ name: "slow" });
  const outgoing = request(`${url}/api/projects`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${await home.adminKey()}`,
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
    const server = home.launch();
    await server.ready();
    await sleep(50);
    expect(server.output()).toContain(join(home.path, "admin-key"));
    expect(server.output()).not.toContain(await home.adminKey());
    expect(await readFile(join(home.path, "log", "gristmill.log"), "utf8")).toContain('"message":"ready"');
  });

  test("with DATABASE_URL uses that database, starts none, and is its one owner", async () => {
    const database = await testDatabase();
    const environment = { DATABASE_URL: databaseUrl(database.connection) };
    const server = home.launch(environment);
    const url = await server.ready();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(existsSync(join(home.path, locationFile))).toBe(false);
    const second = home.launch({ ...environment, GRISTMILL_HOME: join(home.path, "second") });
    expect(await second.ended).toBe(5);
    expect(second.output()).toMatch(/home\.in_use/);
    server.child.kill("SIGINT");
    expect(await server.ended).toBe(0);
    await database.close();
  });

  test("with a database that is not there says so in one line", async () => {
    const server = home.launch({ DATABASE_URL: "postgres://nobody:secret@127.0.0.1:1/none" });
    expect(await server.ended).toBe(1);
    expect(server.output()).toMatch(/database\.unavailable/);
    expect(server.output()).not.toMatch(/secret|\n\s+at /);
  });

  test("help prints every setting", async () => {
    const server = home.launch({}, ["help"]);
    expect(await server.ended).toBe(0);
    expect(server.output()).toContain("GRISTMILL_HOME");
  });
});

describe("a stop", () => {
  test("by Ctrl-C lets a request under way finish, refuses others, and stops PostgreSQL", async () => {
    const server = home.launch();
    const url = await server.ready();
    const slow = await unfinished(url);
    const pid = (await home.databasePid()) ?? 0;
    expect(isAlive(pid)).toBe(true);
    server.child.kill("SIGINT");
    await sleep(100);
    expect(await slow.finish()).toBe(201);
    expect(await server.ended).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });

  test("by a second Ctrl-C ends at once, and PostgreSQL stops by itself", async () => {
    const server = home.launch({ GRISTMILL_STOP_SECONDS: "600" });
    const url = await server.ready();
    await unfinished(url);
    const pid = (await home.databasePid()) ?? 0;
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
    const first = home.launch();
    const url = await first.ready();
    const headers = { authorization: `Bearer ${await home.adminKey()}`, "content-type": "application/json" };
    const body = JSON.stringify({ name: "kept" });
    expect((await fetch(`${url}/api/projects`, { method: "POST", headers, body })).status).toBe(201);
    const pid = await home.databasePid();
    first.child.kill("SIGKILL");
    await first.ended;
    const second = home.launch();
    const again = await second.ready();
    expect(await home.databasePid()).toBe(pid);
    expect((await fetch(`${again}/api/projects/kept`, { headers })).status).toBe(200);
  });

  test("of PostgreSQL: requests are refused as database.unavailable until it is back; the server lives", async () => {
    const server = home.launch();
    const url = await server.ready();
    const headers = { authorization: `Bearer ${await home.adminKey()}` };
    const ask = () => fetch(`${url}/api/projects`, { headers });
    expect((await ask()).status).toBe(200);
    const pid = (await home.databasePid()) ?? 0;
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
    expect(await home.databasePid()).not.toBe(pid);
    server.child.kill("SIGTERM");
    expect(await server.ended).toBe(0);
  });
});

test("a home is backed up while its server runs, and restored into an empty one", async () => {
  const server = home.launch();
  const url = await server.ready();
  const headers = { authorization: `Bearer ${await home.adminKey()}`, "content-type": "application/json" };
  const body = JSON.stringify({ name: "kept" });
  expect((await fetch(`${url}/api/projects`, { method: "POST", headers, body })).status).toBe(201);
  const file = join(home.path, "backup.tar");
  const saved = home.launch({}, ["backup", file]);
  expect([await saved.ended, saved.output()]).toEqual([0, expect.stringContaining(`${file} holds`)]);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);

  const refused = home.launch({}, ["restore", file]);
  expect([await refused.ended, refused.output()]).toEqual([5, expect.stringContaining("home.in_use")]);

  const other = await TestHome.create();
  try {
    const restored = other.launch({}, ["restore", file]);
    expect([await restored.ended, restored.output()]).toEqual([0, expect.stringContaining("rows")]);
    const again = await other.launch().ready();
    const answer = await fetch(`${again}/api/projects/kept`, {
      headers: { authorization: `Bearer ${await other.adminKey()}` },
    });
    expect(answer.status).toBe(200);
  } finally {
    await other.remove();
  }
});
