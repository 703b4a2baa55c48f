import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLog, type LogLevel } from "./log.ts";
import { LogFile } from "./log-file.ts";

function recorded(level: LogLevel = "info"): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = [];
  const log = createLog({ level, now: () => new Date(0), write: (line) => lines.push(line) });
  return { lines, log };
}

test("[TEL1] cuts keys, bearer tokens and passwords out of every line", () => {
  const { lines, log } = recorded();
  const key = "gm_AbCdEf12_0123456789abcdefghijklmnopqrstuvwxyz0123456";
  const admin = "gm_admin_0123456789abcdefghijklmnopqrstuvwxyz0123456";
  log.info({ header: `Bearer ${key}`, url: "postgres://user:hunter2@host/db" }, `used ${key} and ${admin}`);
  log.error({ err: new Error("refused: Authorization: Bearer sk-abcdef0123456789") }, "upstream");
  log.warn({ secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }, "a webhook");
  const text = lines.join("");
  expect(text).toContain("gm_AbCdEf12_***");
  expect(text).toContain("user:***@host");
  for (const secret of ["0123456789abcdef", "hunter2", "sk-abcdef", "MfKQ9r8G"]) expect(text).not.toContain(secret);
  for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
});

test("[TEL3] writes errors with stack and causes, and leaves out what is below its level", () => {
  const { lines, log } = recorded("warn");
  log.info({}, "quiet");
  log.warn({ err: new Error("outer", { cause: new Error("inner") }), big: 10n }, "loud");
  expect(lines).toHaveLength(1);
  const line = JSON.parse(lines[0] ?? "");
  expect(line).toMatchObject({ level: "warn", message: "loud", big: "10", time: "1970-01-01T00:00:00.000Z" });
  expect(line.err).toMatchObject({ message: "outer", cause: { message: "inner" } });
  expect(line.err.stack).toContain("telemetry.test");
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gm-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("[TEL2] the file keeps the order of lines and goes on after a restart", async () => {
  const path = join(folder, "a.log");
  for (const part of ["one", "two"]) {
    const file = new LogFile(path);
    for (let n = 0; n < 100; n++) file.write(`${part} ${n}\n`);
    await file.close();
  }
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  expect(lines).toHaveLength(200);
  expect([lines[0], lines[99], lines[100], lines[199]]).toEqual(["one 0", "one 99", "two 0", "two 99"]);
});

test("[TEL2] old files are shifted and the oldest is let go", async () => {
  const path = join(folder, "a.log");
  for (let n = 0; n < 8; n++) {
    const file = new LogFile(path, { fileBytes: 10, keep: 2 });
    file.write(`line number ${n}\n`);
    await file.close();
  }
  expect((await readdir(folder)).sort()).toEqual(["a.log", "a.log.1", "a.log.2"]);
  expect(await readFile(path, "utf8")).toBe("line number 7\n");
  expect(await readFile(`${path}.2`, "utf8")).toBe("line number 5\n");
});

test("[TEL2] lines that come faster than the disk takes them are counted, not kept", async () => {
  const path = join(folder, "a.log");
  const file = new LogFile(path);
  for (let n = 0; n < 10_005; n++) file.write("x\n");
  await file.close();
  const text = await readFile(path, "utf8");
  expect(text.split("\n").filter((line) => line === "x")).toHaveLength(10_000);
  expect(text).toContain("5 lines were dropped");
});
