import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "gristmill-packed-"));
const inFolder = { cwd: folder, encoding: "utf8" } as const;

/** Whoever installs a tarball has no bootstrap, so the example runs under the Node that runs the tests. */
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/pack.ts", folder], { stdio: ["ignore", "ignore", "inherit"] });
  const tarballs = readdirSync(folder).map((name) => `./${name}`);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "someone", type: "module", private: true }));
  execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", ...tarballs], {
    ...inFolder,
    stdio: ["ignore", "ignore", "inherit"],
  });
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const example = (name: string): string => {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(`packages/${name}/README.md`, "utf8")) ?? [];
  if (code === undefined) throw new Error(`packages/${name}/README.md has no example`);
  return code;
};

describe("packages that are used alone, installed in an empty folder", () => {
  it.each(["nn", "onnx", "gguf"])("%s runs its README's example", { timeout: 120_000 }, (name) => {
    // Node strips no types under node_modules, but it does in the user's own folder.
    writeFileSync(join(folder, `${name}.ts`), example(name));
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${name}.ts`], inFolder);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).not.toBe("");
  });

  it("sdk has its types and its class", () => {
    writeFileSync(
      join(folder, "sdk.ts"),
      'import { Gristmill, GristmillError } from "@gristmill/sdk";\n' +
        'const gristmill = new Gristmill({ baseUrl: "http://127.0.0.1:9", apiKey: "none", maxRetries: 0 });\n' +
        "await gristmill.runs.get('run_none').catch((error) => console.log(error instanceof GristmillError, error.code));\n",
    );
    const { stdout } = spawnSync(process.execPath, ["sdk.ts"], inFolder);
    expect(stdout.trim()).toBe("true client.unreachable");
  });

  it("cli answers --help", () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      ["node_modules/@gristmill/cli/dist/main.js", "--help"],
      inFolder,
    );
    expect(status).toBe(0);
    expect(stdout).toContain("gristmill");
  });
});
