/** @file Runs every snippet of the guide, in order, against a real platform. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { freePort, Home } from "./e2e/platform.ts";

const root = resolve(import.meta.dirname, "..");
const minutes = 60_000;

/** A fenced block that is marked `test`, or `test=FILE` when it is a file's content. */
interface Snippet {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

const snippets: Snippet[] = Array.from(
  readFileSync(join(root, "docs/guide/first-model.md"), "utf8").matchAll(/^```(\w+) test(?:=(\S+))?\n(.*?)^```$/gms),
  ([, language = "", file, text = ""]) => ({ language, file, text }),
);

const home = new Home();
const folder = mkdtempSync(join(tmpdir(), "gristmill-guide-"));
afterAll(async () => {
  await shell("gristmill down", {});
  rmSync(folder, { recursive: true, force: true });
  home.remove();
});

/** One shell for all blocks of one run, as a reader has; `gristmill` is the command itself. */
async function shell(
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; said: string }> {
  const prelude = `gristmill() { "${process.execPath}" "${root}/packages/cli/src/main.ts" "$@"; }\nset -eu\n`;
  const child = spawn("bash", ["-c", prelude + script], {
    cwd: folder,
    env: {
      PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`,
      HOME: folder,
      GRISTMILL_HOME: home.path,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  // "exit", not "close": the platform that it leaves running may hold nothing of ours, and must not be waited for.
  const code = await new Promise<number | null>((done) => child.on("exit", done));
  return { code, said };
}

it("has snippets for every step", () => {
  expect(snippets.map(({ language, file }) => file ?? language)).toEqual(
    expect.arrayContaining(["sh", "cnn.json", "ask.ts"]),
  );
});

it("leads from nothing to a served, priced model, as it says", { timeout: 10 * minutes }, async () => {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const script = snippets.map(({ language, file, text }) => {
    if (file === undefined) return text;
    writeFileSync(join(folder, file), text);
    return language === "ts" ? `node ${file}\n` : "";
  });
  const { code, said } = await shell(script.join("\n"), { GRISTMILL_PORT: String(await freePort()) });
  expect(said, said).toContain("registered  digits@1");
  expect(said).toMatch(/test set {4}.*accuracy 9[5-9]\.\d\d %/);
  expect(said).toContain("✓ digits serves digits@1 with 1/1 replicas.");
  expect(said).toMatch(/"object":"image\.classification"/);
  for (const meter of ["data.bytes_processed", "training.seconds", "deployment.replica_seconds", "service.requests"])
    expect(said).toContain(meter);
  expect(said).toContain("version 2 sees a 7");
  expect(said).toContain("Stopped http://127.0.0.1:");
  expect(code, said).toBe(0);
});
