import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { databaseFolder, locationFile } from "./location.ts";

let parent: string;
let home: string;
const made = new Set<string>();

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "gm-"));
  home = await mkdtemp(join(parent, "home-"));
});

afterEach(async () => {
  for (const folder of made) await rm(folder, { recursive: true, force: true });
  made.clear();
  await rm(parent, { recursive: true, force: true });
});

test("[DB1] a user's own home holds its database", async () => {
  expect(await databaseFolder(home, undefined)).toBe(join(home, "postgres"));
});

describe.skipIf(process.getuid?.() !== 0)("as root", () => {
  const nobody = { uid: 65_534, gid: 65_534 };
  const find = async (folder: string): Promise<string> => {
    const found = await databaseFolder(folder, nobody);
    made.add(found);
    return found;
  };

  test("[DB1] the database is where other users can enter, and the home says where, always the same", async () => {
    const found = await find(home);
    expect(found).toMatch(/^\/var\/lib\/gristmill\/[0-9a-f]{12}$/);
    expect((await stat(found)).mode & 0o005).toBe(0o005);
    expect((await readFile(join(home, locationFile), "utf8")).trim()).toBe(found);
    expect(await find(home)).toBe(found);
  });

  test("[DB1] of starters at one moment all find the same", async () => {
    const found = await Promise.all([find(home), find(home), find(home)]);
    expect(found[1]).toBe(found[0]);
    expect(found[2]).toBe(found[0]);
  });

  test("[DB14] a moved home keeps its database", async () => {
    const found = await find(home);
    const moved = join(parent, "moved");
    await rename(home, moved);
    expect(await find(moved)).toBe(found);
  });

  test("[DB14] a copy of a home is refused while the first is there", async () => {
    await find(home);
    const copy = join(parent, "copy");
    await cp(home, copy, { recursive: true });
    await expect(find(copy)).rejects.toMatchObject({ code: "home.in_use" });
    await expect(find(copy)).rejects.toThrow(/gristmill backup/);
  });

  test("[DB14] a new home at a deleted one's path does not get its database", async () => {
    const found = await find(home);
    await writeFile(join(found, "old"), "x");
    await rm(home, { recursive: true });
    await mkdir(home);
    expect(await find(home)).toBe(`${found}-2`);
  });
});
