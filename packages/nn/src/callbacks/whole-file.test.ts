import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeWhole } from "./whole-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gristmill-whole-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("replaces what a killed process left half-written, and leaves nothing beside the file", async () => {
  const path = join(folder, "model.nn");
  await writeFile(`${path}.tmp`, "half of a longer, older content");
  await writeWhole(path, Buffer.from("whole"));
  expect(await readFile(path, "utf8")).toBe("whole");
  expect(await readdir(folder)).toEqual(["model.nn"]);
});

it("keeps the old file when the new one can't be written", async () => {
  const path = join(folder, "kept", "model.nn");
  await writeWhole(path, Buffer.from("old"));
  // not bytes: the write fails after the file was opened
  await expect(writeWhole(path, 5 as unknown as Uint8Array)).rejects.toThrow();
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(join(folder, "kept"))).toEqual(["model.nn"]);
});
