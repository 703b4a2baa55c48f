import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Child, ChildOptions, Children } from "./child.ts";
import { createChildren } from "./children.ts";
import { processStart } from "./process-start.ts";

const probe = join(import.meta.dirname, "testing", "probe.ts");
const parent = join(import.meta.dirname, "testing", "parent.ts");
const silent = (): void => undefined;

let folder: string;
let children: Children;

const make = (): Children =>
  createChildren({ folder, now: () => new Date(), log: { info: silent, warn: silent, error: silent } });
const start = (more: Partial<ChildOptions> = {}): Promise<Child> =>
  children.start({ name: "replica rpl_1", entry: probe, readPaths: [], writePaths: [], start: { hello: 1 }, ...more });

/** The messages of a child, one by one. */
function inbox(child: Child): { next(): Promise<unknown>; ask(message: unknown): Promise<unknown> } {
  const waiting: ((message: unknown) => void)[] = [];
  const arrived: unknown[] = [];
  child.onMessage((message) => {
    const first = waiting.shift();
    if (first === undefined) arrived.push(message);
    else first(message);
  });
  const next = (): Promise<unknown> =>
    arrived.length > 0 ? Promise.resolve(arrived.shift()) : new Promise((resolve) => waiting.push(resolve));
  return {
    next,
    ask(message) {
      child.send(message);
      return next();
    },
  };
}

async function started(more: Partial<ChildOptions> = {}) {
  const child = await start(more);
  const box = inbox(child);
  expect(await box.next()).toEqual({ started: more.start ?? { hello: 1 } });
  return { child, ask: box.ask };
}

const records = (): string[] => readdirSync(join(folder, "running"));

async function untilGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 300; i++) {
    if (processStart(pid) === undefined) return true;
    await sleep(10);
  }
  return false;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gristmill-children-"));
  children = make();
});
afterEach(async () => {
  await children.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("children", () => {
  it("send and receive structured clones: typed arrays arrive as they are", async () => {
    const { child } = await started({ start: { pixels: new Float32Array([1, 2.5]), big: 2n ** 60n } });
    expect(await child.stop()).toMatchObject({ code: 0, signal: null });
  });

  it("[CHD8] what a child sends before someone listens is kept for the first listener", async () => {
    const child = await start();
    await sleep(300);
    expect(await inbox(child).next()).toEqual({ started: { hello: 1 } });
  });

  it("[CHD1] a child exits when main closes its channel", async () => {
    const { child } = await started();
    expect(await child.stop()).toMatchObject({ code: 0, signal: null });
    expect(processStart(child.pid)).toBeUndefined();
    expect(records()).toEqual([]);
  });

  it("[CHD1] a child exits when main is killed", async () => {
    const main = spawn(process.execPath, [parent, folder, probe], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(main.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(processStart(pid)).toBeDefined();
    main.kill("SIGKILL");
    expect(await untilGone(pid)).toBe(true);
  });

  it("[CHD2] a child that does not exit within the grace is killed", async () => {
    const { child, ask } = await started();
    expect(await ask({ do: "block" })).toEqual({ blocking: true });
    expect(await child.stop(50)).toMatchObject({ code: null, signal: "SIGKILL" });
  });

  it("[CHD3] a child reads its own paths and no others", async () => {
    const own = join(folder, "own");
    mkdirSync(own);
    writeFileSync(join(own, "model.onnx"), "weights");
    writeFileSync(join(folder, "own.txt"), "a neighbour whose name begins alike");
    writeFileSync(join(folder, "file"), "one file");
    writeFileSync(join(folder, "file2"), "another");
    const { ask } = await started({ readPaths: [own, join(folder, "file")] });
    expect(await ask({ do: "read", path: join(own, "model.onnx") })).toEqual({ result: "weights" });
    expect(await ask({ do: "read", path: join(folder, "file") })).toEqual({ result: "one file" });
    for (const path of [
      "/etc/passwd",
      "/proc/self/environ",
      join(folder, "own.txt"),
      join(folder, "file2"),
      probe.replace("probe", "../../../../../../package"),
    ])
      expect(await ask({ do: "read", path }), path).toEqual({ error: "ERR_ACCESS_DENIED" });
  });

  it("[CHD3] a child writes its write paths and no others", async () => {
    const own = join(folder, "run");
    mkdirSync(own);
    const { ask } = await started({ writePaths: [own], readPaths: [folder] });
    expect(await ask({ do: "write", path: join(own, "checkpoint") })).toEqual({ result: undefined });
    expect(readFileSync(join(own, "checkpoint"), "utf8")).toBe("written by the child");
    for (const path of [join(folder, "elsewhere"), join(folder, "empty", "x"), join(import.meta.dirname, "x")]) {
      expect(await ask({ do: "write", path }), path).toEqual({ error: "ERR_ACCESS_DENIED" });
      expect(existsSync(path)).toBe(false);
    }
  });

  it("[CHD3] a child starts no process and no worker thread", async () => {
    const { ask } = await started();
    expect(await ask({ do: "spawn" })).toEqual({ error: "ERR_ACCESS_DENIED" });
    expect(await ask({ do: "worker" })).toEqual({ error: "ERR_ACCESS_DENIED" });
  });

  it("[CHD3] a path that is relative or a pattern is refused before anything starts", async () => {
    for (const path of ["models", "/*", "/home/*/models"])
      await expect(start({ readPaths: [path] })).rejects.toThrow(/expected an absolute path without "\*"/);
    expect(records()).toEqual([]);
  });

  it("[CHD4] a child sees an allow-list of the environment and works in an empty folder", async () => {
    process.env["DATABASE_URL"] = "postgres://secret";
    process.env["NODE_OPTIONS"] ??= "";
    try {
      const { ask } = await started({ nice: 10 });
      const { result } = (await ask({ do: "look" })) as {
        result: { env: Record<string, string>; cwd: string; execArgv: string[]; nice: number };
      };
      const allowed = new Set([
        "HOME",
        "PATH",
        "LANG",
        "LC_ALL",
        "TZ",
        "NODE_CHANNEL_FD",
        "NODE_CHANNEL_SERIALIZATION_MODE",
      ]);
      expect(Object.keys(result.env).filter((name) => !allowed.has(name))).toEqual([]);
      expect(result.env["HOME"]).toBe(join(folder, "empty"));
      expect(result.cwd).toBe(join(folder, "empty"));
      expect(readdirSync(result.cwd)).toEqual([]);
      expect(result.nice).toBeGreaterThanOrEqual(10);
    } finally {
      delete process.env["DATABASE_URL"];
    }
  });

  it("[CHD5] a blocked child of a killed main is ended by the next main", async () => {
    const main = spawn(process.execPath, [parent, folder, probe, "block"], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(main.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    main.kill("SIGKILL");
    await once(main, "exit");
    await sleep(100);
    expect(processStart(pid)).toBeDefined();
    expect(await children.endLeftovers()).toBe(1);
    expect(processStart(pid)).toBeUndefined();
    expect(records()).toEqual([]);
    expect(await children.endLeftovers()).toBe(0);
  });

  it("[CHD6] a process that only has the recorded id is left alone, and its record goes", async () => {
    const other = spawn("/bin/sleep", ["60"], { stdio: "ignore" });
    const pid = other.pid ?? 0;
    try {
      const real = processStart(pid) ?? "";
      const [boot, ticks] = real.split(":");
      for (const wrong of [`${boot}:${Number(ticks) - 1}`, `00000000-0000-0000-0000-000000000000:${ticks}`]) {
        writeFileSync(join(folder, "running", `${pid}.json`), JSON.stringify({ pid, start: wrong, name: "old" }));
        expect(await children.endLeftovers()).toBe(0);
        expect(processStart(pid)).toBe(real);
        expect(records()).toEqual([]);
      }
    } finally {
      other.kill("SIGKILL");
    }
  });

  it("[CHD6] a record that is damaged or names no process is cleared without harm", async () => {
    for (const [name, text] of Object.entries({
      a: "",
      b: "{",
      c: "null",
      d: '{"pid":-1,"start":"x","name":"y"}',
      e: '{"pid":1,"start":"x","name":"y"}',
    }))
      writeFileSync(join(folder, "running", `${name}.json`), text);
    expect(await children.endLeftovers()).toBe(0);
    expect(records()).toEqual([]);
  });

  it("[CHD7] the last lines of standard error come with the exit, at most 4 kB", async () => {
    const { child } = await started();
    child.send({ do: "fail" });
    const exit = await child.exited;
    expect(exit.code).toBe(1);
    expect(exit.lastLines).toContain("the last words");
    expect(Buffer.byteLength(exit.lastLines)).toBeLessThanOrEqual(4096);
  });

  it("[CHD7] an entry that cannot run rejects the start with its last lines", async () => {
    await expect(start({ entry: join(import.meta.dirname, "no-such-entry.ts") })).rejects.toThrow(
      /replica rpl_1: its process ended at once \(1\): [\s\S]*no-such-entry/,
    );
    expect(records()).toEqual([]);
  });

  it("a finished child sends its last message and exits with code 0", async () => {
    const { child, ask } = await started();
    expect(await ask({ do: "finish" })).toEqual({ finished: true });
    expect(await child.exited).toMatchObject({ code: 0 });
  });

  it("stop ends every child and starts no more", async () => {
    const a = await started();
    const b = await started();
    await children.stop();
    expect([processStart(a.child.pid), processStart(b.child.pid)]).toEqual([undefined, undefined]);
    await expect(start()).rejects.toThrow(/stops/);
  });
});
