import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { insertTestProject, type TestDatabase, testDatabase } from "../testing/database.ts";

const secret = "a secret of the tests";
let database: TestDatabase;
let project: ProjectId;
let children: ChildProcess[];

beforeEach(async () => {
  database = await testDatabase();
  project = await insertTestProject(database.db);
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill("SIGKILL");
    await exited;
  }
  await database.close();
});

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  /** Lines that it printed. */
  readonly lines: readonly string[];
}

async function launch(stay = ""): Promise<Server> {
  const script = new URL("./testing/server-child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, JSON.stringify(database.connection), secret, stay], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  await expect.poll(() => lines[0], { timeout: 30_000 }).toMatch(/^ready \d+$/);
  return { child, port: Number(lines[0]?.slice(6)), lines };
}

async function post({ port }: Server, path: string, body: object, key: string) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${project}/key_1`, "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
  });
  return {
    status: answer.status,
    isReplayed: answer.headers.get("idempotent-replayed") === "true",
    text: await answer.text(),
  };
}

/** What the project was charged, by how many requests: "requests images by ids". */
async function charged(): Promise<string> {
  const { rows } = await sql<{ requests: string; images: string; ids: string }>`
    select coalesce(sum(quantity) filter (where meter = 'service.requests'), 0)::text as requests,
      coalesce(sum(quantity) filter (where meter = 'service.images'), 0)::text as images,
      count(distinct request_id)::text as ids
    from usage_event where project_id = ${project}`.execute(database.db);
  return `${rows[0]?.requests} ${rows[0]?.images} by ${rows[0]?.ids}`;
}
const openClaims = async (): Promise<number> =>
  (await sql`select from reservation where project_id = ${project}`.execute(database.db)).rows.length;

const moments = [
  { when: "before it settled", path: "/test/use", stay: "worked", before: "0 0 by 0" },
  { when: "after it settled and before it answered", path: "/test/use", stay: "settled", before: "1 3 by 1" },
  { when: "in the middle of a stream", path: "/test/stream", stay: "part 1", before: "0 0 by 0" },
  {
    when: "after it settled a stream and before its last bytes",
    path: "/test/stream",
    stay: "settled",
    before: "1 3 by 1",
  },
];

test.each(moments)(
  "[IDM6] a server is killed $when: the retry on another is worked on there, and charged once in all",
  { timeout: 120_000 },
  async ({ path, stay, before }) => {
    const [first, second] = await Promise.all([launch(stay), launch()]);
    const cut = post(first, path, { images: 3 }, "k").then(
      () => "answered",
      () => "cut",
    );
    await expect.poll(() => first.lines, { timeout: 20_000 }).toContain(stay);
    // The client's patience ends before the server does: its retry waits at the second server, beside a twin.
    const retries = [post(second, path, { images: 3 }, "k"), post(second, path, { images: 3 }, "k")];
    first.child.kill("SIGKILL");
    expect(await cut).toBe("cut");
    expect(await charged()).toBe(before);
    const answers = await Promise.all(retries);
    expect(answers.map(({ status }) => status)).toEqual(path === "/test/use" ? [201, 201] : [200, 200]);
    expect(answers.map(({ isReplayed }) => isReplayed).toSorted()).toEqual([false, true]);
    expect(answers[0]?.text).toBe(answers[1]?.text);
    expect(await charged()).toBe("1 3 by 1");
    expect(await post(second, path, { images: 3 }, "k")).toMatchObject({ isReplayed: true, text: answers[0]?.text });
    expect(await post(second, path, { images: 4 }, "k")).toMatchObject({ status: 409 });
    await expect.poll(openClaims, { timeout: 20_000 }).toBe(0);
    expect(await charged()).toBe("1 3 by 1");
  },
);

test("[IDM6] servers that are killed again and again at any moment charge each key once", {
  timeout: 240_000,
}, async () => {
  const answers = new Map<string, string>();
  let servers = await Promise.all([launch(), launch()]);
  let isDone = false;
  const killing = (async () => {
    for (let kills = 0; kills < 4; kills++) {
      const [victim, other] = kills % 2 === 0 ? [0, 1] : [1, 0];
      const dying = servers[victim];
      const staying = servers[other];
      if (dying === undefined || staying === undefined) throw new Error("two servers were started");
      dying.child.kill("SIGKILL");
      const next = await launch();
      servers = victim === 0 ? [next, staying] : [staying, next];
    }
    isDone = true;
  })();
  const client = async (key: string, number: number): Promise<void> => {
    for (let tries = 0; ; tries++) {
      const server = servers[(number + tries) % 2];
      if (server === undefined) throw new Error("two servers were started");
      const answer = await post(server, number % 2 === 0 ? "/test/use" : "/test/stream", { images: 3 }, key).catch(
        () => undefined,
      );
      if (answer === undefined || answer.status >= 500 || answer.status === 409) {
        await sleep(20);
        continue;
      }
      // A client that heard twice must have heard the same.
      const known = answers.get(key) ?? answer.text;
      expect(answer.text).toBe(known);
      answers.set(key, answer.text);
      if (tries > 0 || number % 3 !== 0) return;
    }
  };
  let sent = 0;
  for (; !isDone || sent < 40; sent += 8) {
    const numbers = Array.from({ length: 8 }, (_, index) => sent + index);
    await Promise.all(numbers.map((number) => client(`key ${number}`, number)));
  }
  await killing;
  expect(answers.size).toBe(sent);
  await expect.poll(openClaims, { timeout: 20_000 }).toBe(0);
  expect(await charged()).toBe(`${sent} ${3 * sent} by ${sent}`);
});
