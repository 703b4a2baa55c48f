import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AppError } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Log } from "../../feature.ts";
import { withSession } from "../connection.ts";
import { createDatabase } from "../pool.ts";
import { type EmbeddedServer, prepareEmbedded, startEmbedded, stopServer } from "./embedded.ts";
import { postmasterOf } from "./lock-file.ts";
import type { Places } from "./places.ts";
import { isAlive, isGone, isZombie } from "./processes.ts";

// Each test starts real servers, on machines that do other things at the same time.
vi.setConfig({ testTimeout: 120_000 });

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

let home: string;
let places: Places;
let program: string;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "gm-"));
  ({ places, program } = await prepareEmbedded(home));
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close().catch(() => {});
  await stopServer(places);
  await rm(join(places.clusters, ".."), { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
});

interface Opened {
  readonly server: EmbeddedServer;
  readonly lost: AppError[];
}

async function start(patienceMs = 30_000): Promise<Opened> {
  const lost: AppError[] = [];
  const server = await startEmbedded({ home, log: silent, patienceMs, onLost: (error) => lost.push(error) });
  closers.push(() => server.stop());
  return { server, lost };
}

async function one(server: EmbeddedServer, statement: string): Promise<string> {
  return await withSession(server.connection, async (client) => {
    const { rows } = await client.query<{ value: string }>(`select (${statement})::text as value`);
    return rows[0]?.value ?? "";
  });
}

async function killed(server: EmbeddedServer): Promise<number> {
  const pid = await server.pid();
  if (pid === undefined) throw new Error("no server to kill");
  process.kill(pid, "SIGKILL");
  await isGone(pid, 5_000);
  return pid;
}

/** Waits for the supervisor; a server that is away says so by failing. */
async function answering(server: EmbeddedServer): Promise<void> {
  for (;;) {
    try {
      await one(server, "1");
      return;
    } catch (error) {
      expect(error).toMatchObject({ code: "database.unavailable" });
      await sleep(20);
    }
  }
}

describe("the server", () => {
  test("[DB2] [DB3] [DB12] speaks UTF-8 and UTC on every machine, listens on no port, bounds its log, and keeps its folders to itself", async () => {
    const { server } = await start();
    const setting = (name: string) => one(server, `select setting from pg_settings where name = '${name}'`);
    expect(await setting("server_encoding")).toBe("UTF8");
    expect(await setting("TimeZone")).toBe("UTC");
    expect(await setting("listen_addresses")).toBe("");
    expect(await setting("fsync")).toBe("on");
    expect(await setting("log_truncate_on_rotation")).toBe("on");
    expect(await setting("cluster_name")).toBe(`gristmill:${home}`);
    expect(
      await one(server, "select datlocprovider::text || ' ' || datlocale from pg_database where datname = 'postgres'"),
    ).toBe("b C.UTF-8");
    for (const folder of [places.socket, places.data, places.clusters, places.log])
      expect([folder, ((await stat(folder)).mode & 0o777).toString(8)]).toEqual([folder, "700"]);
    const socket = await stat(join(places.socket, ".s.PGSQL.5432"));
    expect((socket.mode & 0o777).toString(8)).toBe("700");
  });

  test("[DB1] [DB4] does not run as root, and leads a session of its own, so that Ctrl-C in a terminal does not reach it", async () => {
    const { server } = await start();
    const pid = (await server.pid()) ?? 0;
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe("0");
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    const [, , group, session] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    expect([group, session]).toEqual([String(pid), String(pid)]);
  });

  test("[DB11] keeps its data over a stop and a start", async () => {
    const { server } = await start();
    await withSession(server.connection, (client) => client.query("create table kept as select 42 as n"));
    const pid = (await server.pid()) ?? 0;
    await server.stop();
    expect(isAlive(pid)).toBe(false);
    const { server: again } = await start();
    expect(again.wasAdopted).toBe(false);
    expect(await one(again, "select n from kept")).toBe("42");
  });
});

describe("one owner", () => {
  test("[DB5] a second owner is refused while the first lives", async () => {
    const { server } = await start();
    await expect(start()).rejects.toMatchObject({ code: "home.in_use" });
    expect(await one(server, "1")).toBe("1");
  });

  test("[DB5] of four starters at one moment exactly one becomes the owner", async () => {
    const outcomes = await Promise.allSettled([start(), start(), start(), start()]);
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused).toHaveLength(3);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: "home.in_use" });
  });

  test("[DB6] a server whose owner was killed is adopted by the next, not started again", async () => {
    const script = join(home, "owner.ts");
    const module = new URL("./embedded.ts", import.meta.url).href;
    const quiet = "{ info() {}, warn() {}, error() {} }";
    await writeFile(
      script,
      `import { startEmbedded } from ${JSON.stringify(module)};
       await startEmbedded({ home: ${JSON.stringify(home)}, log: ${quiet}, onLost() {} });
       console.log("owned");
       setInterval(() => {}, 1000);`,
    );
    const owner = execFile(process.execPath, [script]);
    await new Promise((resolve) => owner.stdout?.once("data", resolve));
    const pid = await postmasterOf(places.data);
    expect(pid).toBeGreaterThan(0);
    const gone = new Promise((resolve) => owner.once("exit", resolve));
    owner.kill("SIGKILL");
    await gone;
    const { server } = await start();
    expect(server.wasAdopted).toBe(true);
    expect(await server.pid()).toBe(pid);
  });
});

describe("kill -9 of the server", () => {
  test("[DB7] while idle: it is started again, the pool goes on, and nobody lost the ownership", async () => {
    const { server, lost } = await start();
    const db = createDatabase(server.connection);
    closers.push(() => db.destroy());
    await sql`create table fact (n int)`.execute(db);
    await sql`insert into fact values (7)`.execute(db);
    const before = await killed(server);
    await answering(server);
    expect(await server.pid()).not.toBe(before);
    const { rows } = await sql<{ n: number }>`select n from fact`.execute(db);
    expect(rows).toEqual([{ n: 7 }]);
    await expect(start()).rejects.toMatchObject({ code: "home.in_use" });
    expect(lost).toEqual([]);
  });

  test("[DB7] while it is away queries fail as database.unavailable, and so does the one it took with it", async () => {
    const { server } = await start();
    const db = createDatabase(server.connection);
    closers.push(() => db.destroy());
    const sleeping = sql`select pg_sleep(30)`.execute(db).catch((error: unknown) => error);
    await sleep(200);
    await killed(server);
    const during = await sql`select 1`.execute(db).catch((error: unknown) => error);
    expect(during).toMatchObject({ code: "database.unavailable" });
    expect(await sleeping).toMatchObject({ code: "database.unavailable" });
    await answering(server);
  });

  test("[DB8] during a long query: its backend lives on, and the server is back when that has ended", async () => {
    const { server } = await start();
    const busy = await busyBackend(server);
    await killed(server);
    expect(isAlive(busy.pid)).toBe(true);
    await answering(server);
    expect(isAlive(busy.pid)).toBe(false);
    await busy.ended;
  });

  test("[DB8] during a query that does not end: after our patience its backend is ended", async () => {
    const { server } = await start(1_000);
    const busy = await busyBackend(server, 10_000_000_000);
    await killed(server);
    await answering(server);
    expect(isAlive(busy.pid)).toBe(false);
    await busy.ended;
  });
});

/** A backend that computes and so does not notice that its postmaster died, as one that waits would. */
async function busyBackend(
  server: EmbeddedServer,
  rows = 25_000_000,
): Promise<{ pid: number; ended: Promise<unknown> }> {
  const started = Promise.withResolvers<number>();
  const ended = withSession(server.connection, async (client) => {
    const { rows: own } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    started.resolve(own[0]?.pid ?? 0);
    await client.query(`select count(*) from (select sqrt(n) from generate_series(1, ${rows}::bigint) n offset 0) t`);
  }).catch((error: unknown) => error);
  const pid = await started.promise;
  await sleep(300);
  return { pid, ended };
}

describe("what a crash leaves behind", () => {
  const lock = () => join(places.data, "postmaster.pid");

  test("[DB9] an empty lock file is removed when it stays empty", async () => {
    await writeFile(lock(), "");
    const { server } = await start();
    expect(await one(server, "1")).toBe("1");
  });

  test("[DB9] a lock file whose pid is another program of the same user now is removed", async () => {
    // A sleeping program of the server's user stands for whatever got the number after a reboot.
    const other = execFile("sleep", ["60"], { ...places.user, cwd: "/" });
    closers.push(async () => void other.kill("SIGKILL"));
    const text = `${other.pid}\n${places.data}\n1700000000\n5432\n${places.socket}\n\n  1 1\nready\n`;
    await writeFile(lock(), text);
    await writeFile(join(places.socket, ".s.PGSQL.5432.lock"), text);
    const { server } = await start();
    expect(await one(server, "1")).toBe("1");
    expect(other.exitCode).toBeNull();
  });

  test("[DB9] a lock file whose pid is a zombie is removed", async () => {
    // Its parent never asks how it ended, as the first process of some containers does not.
    // The child outlives the shell's exec: one that ends before it is asked by the shell, and is no zombie.
    const parent = execFile("sh", ["-c", "sleep 1 & echo $!; exec sleep 60"], { ...places.user, cwd: "/" });
    closers.push(async () => void parent.kill("SIGKILL"));
    const pid = Number(await new Promise((resolve) => parent.stdout?.once("data", resolve)));
    while (!isZombie(pid)) await sleep(5);
    await writeFile(lock(), `${pid}\n${places.data}\n${Math.round(Date.now() / 1000)}\n5432\n${places.socket}\n`);
    const { server } = await start();
    expect(await one(server, "1")).toBe("1");
  });

  test("[DB10] a killed initdb does not look like a cluster, and its rest is removed", async () => {
    await rm(places.data, { recursive: true });
    const beside = `${places.data}.killed`;
    const making = execFile(join(program, "bin/initdb"), ["-D", beside, "-U", "gristmill", "--no-locale"], {
      ...places.user,
      cwd: "/",
      env: { LC_ALL: "C" },
    });
    while (!existsSync(join(beside, "PG_VERSION"))) await sleep(2);
    making.kill("SIGKILL");
    await new Promise((resolve) => making.once("exit", resolve));
    const { server } = await start();
    expect(await one(server, "1")).toBe("1");
    expect(await readdir(places.clusters)).toEqual(["18"]);
  });

  test("[DB10] another starter's initdb that is still at work does not fail the one that won", async () => {
    const busy = `${places.data}.busy`;
    await mkdir(busy, { recursive: true });
    const writer = execFile(process.execPath, [
      "-e",
      `const fs = require("node:fs"); let n = 0;
       for (;;) try { fs.mkdirSync(${JSON.stringify(busy)}, { recursive: true }); fs.writeFileSync(${JSON.stringify(busy)} + "/" + n++, ""); } catch {}`,
    ]);
    try {
      const { server } = await start();
      expect(await one(server, "1")).toBe("1");
    } finally {
      writer.kill("SIGKILL");
      await new Promise((resolve) => writer.once("exit", resolve));
      await rm(busy, { recursive: true, force: true });
    }
  });
});

test("[DB15] a home whose socket path would be too long is refused with the way out", async () => {
  const long = join(home, "x".repeat(120));
  await mkdir(long);
  const attempt = prepareEmbedded(long);
  // As root the database lives in /var/lib/gristmill, whose path is short whatever the home's is.
  if (process.getuid?.() === 0) {
    const { places: short } = await attempt;
    expect(short.socket.length).toBeLessThan(88);
    await rm(join(short.clusters, ".."), { recursive: true, force: true });
  } else {
    await expect(attempt).rejects.toMatchObject({ code: "config.invalid" });
    await expect(attempt).rejects.toThrow(/GRISTMILL_HOME to a shorter path/);
  }
});
