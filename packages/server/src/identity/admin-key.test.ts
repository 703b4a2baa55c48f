import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { homeAdminKey } from "./index.ts";

describe("the admin key of a home", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "gm-"));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  test("[IDN9] is made once, also by two starters at one moment, and is readable by its owner only", async () => {
    const [one, two] = await Promise.all([homeAdminKey(home, randomBytes), homeAdminKey(home, randomBytes)]);
    expect(one).toBe(two);
    expect(await homeAdminKey(home, randomBytes)).toBe(one);
    const file = join(home, "admin-key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, "utf8")).trim()).toBe(one);
  });

  test("[IDN9] is refused when its file holds something else", async () => {
    await writeFile(join(home, "admin-key"), "short\n");
    await expect(homeAdminKey(home, randomBytes)).rejects.toMatchObject({ code: "config.invalid" });
  });
});
