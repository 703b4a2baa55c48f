import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fileObjectStore } from "./file-object-store.ts";
import { describeObjectStore } from "./testing/describe-object-store.ts";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gristmill-objects-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describeObjectStore("fileObjectStore", async () => {
  const folder = await temporaryFolder();
  const store = await fileObjectStore(folder);
  return {
    store,
    leftovers: () => readdir(join(folder, "temporary")),
    damage: async (sha256) => writeFile(await store.path(sha256), "damaged"),
    close: async () => {},
  };
});

describe("fileObjectStore", () => {
  it("[OBJ6] removes what dead writers left, keeps what living ones write", async () => {
    const folder = await temporaryFolder();
    const store = await fileObjectStore(folder);
    const { sha256 } = await store.put(Buffer.from("kept"));
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    const left = (pid: number): string => join(folder, "temporary", `${pid}-0123456789abcdef`);
    for (const pid of [dead, process.pid, process.ppid]) await writeFile(left(pid), "half");
    await writeFile(join(folder, "temporary", "stranger"), "half");
    const ours = join(folder, "temporary", `${process.pid}-fedcba9876543210`);
    await writeFile(ours, "of a process that had our pid before");
    await utimes(ours, 1, 1);
    await fileObjectStore(folder);
    expect((await readdir(join(folder, "temporary"))).sort()).toEqual(
      [`${process.pid}-0123456789abcdef`, `${process.ppid}-0123456789abcdef`].sort(),
    );
    expect(await store.has(sha256)).toBe(true);
  });

  it("keeps objects for its own user only, in a folder named by the first two digits", async () => {
    const folder = await temporaryFolder();
    const store = await fileObjectStore(folder);
    const { sha256 } = await store.put(Buffer.from("private"));
    const path = await store.path(sha256);
    expect(path).toBe(join(folder, sha256.slice(0, 2), sha256));
    expect((await stat(path)).mode & 0o077).toBe(0);
  });

  it("[OBJ3] holds a limit of its own above which no call can go", async () => {
    const store = await fileObjectStore(await temporaryFolder(), { limitBytes: 10 });
    await expect(store.put(Buffer.alloc(11), { limitBytes: 100 })).rejects.toMatchObject({ code: "request.too_large" });
  });
});
