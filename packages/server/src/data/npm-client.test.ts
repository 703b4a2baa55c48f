import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { npmClient } from "./npm-client.ts";
import { openRegistry, packageTarball, type Registry } from "./testing/package-files.ts";

let registry: Registry;
beforeAll(async () => {
  registry = await openRegistry("gristmill-tiny", "1.2.3", packageTarball("gristmill-tiny", "1.2.3", {}));
});
afterAll(() => registry.close());

async function client(more: Record<string, string> = {}, timeoutMs?: number) {
  const folder = await mkdtemp(join(tmpdir(), "gristmill-npm-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    npm_config_registry: registry.url,
    npm_config_cache: join(folder, "cache"),
    npm_config_fetch_retries: "0",
    ...more,
  };
  return { npm: npmClient({ env, ...(timeoutMs === undefined ? {} : { timeoutMs }) }), folder: join(folder, "packed") };
}

const never = new AbortController().signal;

describe("npmClient", () => {
  it("[DAT9] gets a package from the registry that npm's own configuration names", async () => {
    const { npm, folder } = await client();
    const path = await npm.pack("gristmill-tiny@1.2.3", folder, never);
    expect(await readdir(folder)).toEqual(["gristmill-tiny-1.2.3.tgz"]);
    expect(path).toBe(join(folder, "gristmill-tiny-1.2.3.tgz"));
    expect(registry.asked).toContain("/gristmill-tiny/-/gristmill-tiny-1.2.3.tgz");
  });

  it("[DAT9] says in npm's words which package or version is not there", async () => {
    const { npm, folder } = await client();
    await expect(npm.pack("gristmill-tiny@9.9.9", folder, never)).rejects.toMatchObject({
      code: "data.package_not_found",
      message: expect.stringMatching(/gristmill-tiny@9\.9\.9: ETARGET/),
    });
    await expect(npm.pack("gristmill-absent", folder, never)).rejects.toMatchObject({
      code: "data.package_not_found",
      message: expect.stringMatching(/gristmill-absent: E404/),
    });
  });

  it("[DAT9] ends npm when its caller goes away, and when it takes too long", async () => {
    const { npm, folder } = await client();
    const reason = new Error("the caller went away");
    await expect(npm.pack("gristmill-tiny", folder, AbortSignal.abort(reason))).rejects.toThrow(reason);
    const hasty = await client({}, 1);
    await expect(hasty.npm.pack("gristmill-tiny", hasty.folder, never)).rejects.toMatchObject({
      code: "data.package_not_found",
      message: expect.stringContaining("it took too long"),
    });
  });

  it("[DAT9] gives npm no secret of ours", async () => {
    // As npm, a program that says what environment it got, in the way in which npm says why it failed.
    const { npm, folder } = await client({
      DATABASE_URL: "postgres://secret",
      GRISTMILL_ADMIN_KEY: "secret",
      PATH: "/nowhere",
    });
    await expect(npm.pack("gristmill-tiny", folder, never)).rejects.toThrow("npm could not be started");
    const told = await client({ DATABASE_URL: "secret", GRISTMILL_ADMIN_KEY: "secret", npm_execpath: telling });
    const failure = await told.npm.pack("gristmill-tiny", told.folder, never).catch((error: unknown) => error as Error);
    const environment: Record<string, string> = JSON.parse(
      failure instanceof Error ? String(failure.cause).slice(7) : "",
    );
    expect(environment).toMatchObject({ npm_config_registry: registry.url });
    expect(Object.keys(environment)).not.toContain("DATABASE_URL");
    expect(Object.keys(environment)).not.toContain("GRISTMILL_ADMIN_KEY");
  });
});

const telling = join(import.meta.dirname, "testing", "telling-npm-cli.js");
