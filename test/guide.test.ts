/** @file Runs every snippet of the guide, in order, against a real platform where a page needs one. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { freePort, Home } from "./e2e/platform.ts";

const root = resolve(import.meta.dirname, "..");
const guide = join(root, "docs/guide");
const minutes = 60_000;

/** A fenced block that is marked `test`, or `test=FILE` when it is a file's content. */
interface Snippet {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

const snippetsOf = (page: string): Snippet[] =>
  Array.from(
    readFileSync(join(guide, page), "utf8").matchAll(/^```(\w+) test(?:=(\S+))?\n(.*?)^```$/gms),
    ([, language = "", file, text = ""]) => ({ language, file, text }),
  );

/** What a reader has: an empty folder, an empty home, a shell in which `gristmill` is the command itself. */
class Reader {
  readonly #home = new Home();
  readonly #folder = mkdtempSync(join(tmpdir(), "gristmill-guide-"));

  /** Does what a page says, in one shell; resolves to all that was said. */
  async follow(page: string): Promise<{ code: number | null; said: string }> {
    symlinkSync(join(root, "node_modules"), join(this.#folder, "node_modules"));
    const script = snippetsOf(page).map(({ language, file, text }) => {
      if (file === undefined) return text;
      writeFileSync(join(this.#folder, file), text);
      return language === "ts" ? `node ${file}\n` : "";
    });
    return this.#shell(script.join("\n"), { GRISTMILL_PORT: String(await freePort()) });
  }

  /** Leaves nothing behind, wherever the page has ended. */
  async leave(): Promise<void> {
    await this.#shell("gristmill down", {});
    rmSync(this.#folder, { recursive: true, force: true });
    this.#home.remove();
  }

  async #shell(script: string, env: Readonly<Record<string, string>>): Promise<{ code: number | null; said: string }> {
    const prelude = `gristmill() { "${process.execPath}" "${root}/packages/cli/src/main.ts" "$@"; }\nset -eu\n`;
    const child = spawn("bash", ["-c", prelude + script], {
      cwd: this.#folder,
      env: {
        PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`,
        HOME: this.#folder,
        GRISTMILL_HOME: this.#home.path,
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
}

/** Does all that a page says; no step may fail. */
async function run(page: string): Promise<string> {
  const reader = new Reader();
  onTestFinished(() => reader.leave(), minutes);
  const { code, said } = await reader.follow(page);
  expect(code, said).toBe(0);
  return said;
}

/** Follows a page of the platform to its end; what it ends with says that every step went well. */
async function follow(page: string): Promise<string> {
  const said = await run(page);
  expect(said, said).toContain("Stopped http://127.0.0.1:");
  return said;
}

it("every page has snippets that are run", () => {
  for (const page of readdirSync(guide))
    expect(
      snippetsOf(page).map(({ language, file }) => file ?? language),
      page,
    ).toEqual(expect.arrayContaining(["sh", expect.stringMatching(/\.ts$/)]));
});

it("leads from nothing to a served, priced model, as it says", { timeout: 10 * minutes }, async () => {
  const said = await follow("first-model.md");
  expect(said, said).toContain("registered  digits@1");
  expect(said).toMatch(/test set {4}.*accuracy 9[5-9]\.\d\d %/);
  expect(said).toContain("✓ digits serves digits@1 with 1/1 replicas.");
  expect(said).toMatch(/"object":"image\.classification"/);
  for (const meter of ["data.bytes_processed", "training.seconds", "deployment.replica_seconds", "service.requests"])
    expect(said).toContain(meter);
  expect(said).toContain("version 2 sees a 7");
});

it("governs: people, keys, limits, budgets and the audit log do what it says", { timeout: 5 * minutes }, async () => {
  const said = await follow("govern.md");
  expect(said, said).toContain("owner of acme");
  expect(said).toMatch(/scope +owner +admin +developer +billing +viewer/);
  expect(said).toMatch(/old secret +goes on to/);
  expect(said.match(/HTTP\/1\.1 (200|429)/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 429"]);
  expect(said).toMatch(/x-ratelimit-limit-requests: 2/i);
  expect(said).toMatch(/retry-after: \d+/i);
  expect(said).toContain("This key may make 2 requests a minute");
  expect(said).toMatch(/✗ The budget "tester" of 0\.00000001 USD has no room for/);
  expect(said).toMatch(/Raise it: gristmill budget update bud_\w+ --amount AMOUNT/);
  expect(said).toContain("refused, as it should be");
  expect(said).toMatch(/limit\.exceeded +1/);
  expect(said).toMatch(/✓ \d+ entries are as written/);
  expect(said).toContain("60 requests a minute, 25 USD left");
  expect(said).toContain("auth.forbidden keys:write");
  expect(said).toMatch(/\d+ entries, all as written/);
  expect(said).toContain("Signed ada@example.com out.");
});

it("meters and bills: events count once, and the bill is proven", { timeout: 5 * minutes }, async () => {
  const said = await follow("meter-and-bill.md");
  expect(said, said).toContain("meter.unknown");
  expect(said).toMatch(/qtn_\w+: replayed/);
  expect(said).toContain("✓ 39 new, 0 known already");
  expect(said).toContain("✓ 0 new, 39 known already");
  expect(said).toMatch(/berlin +█+/);
  expect(said).toContain("2500 new, then 0 new and 2500 known");
  expect(said).toContain("rome: 2500 sheet");
  expect(said).toContain("graduated free: 10");
  expect(said).toMatch(/✓ 42 entries of the ledger add up to the bill's 1 line/);
  expect(said).toMatch(/✓ 2,542 entries of the ledger add up to the bill's 1 line/);
});

it("trains networks of every form, goes on to the same bits, and tunes models of others", {
  timeout: 5 * minutes,
}, async () => {
  const said = await run("networks.md");
  expect(said, said).toContain("loss fell: true loss accuracy");
  expect(said).toContain("topic 1,3, stars 1,1");
  expect(said).toContain("trains 8 numbers");
  expect(said).toContain("same bits: true");
  expect(said).toMatch(/^7$/m);
  expect(said).toContain("residual_1/inner/kernel residual_1/inner/bias scaled_1/factor dense_1/kernel dense_1/bias");
  expect(said).toContain("the head trains 18 numbers, 4 factors 46");
  expect(said).toContain("safetensors 67 onnx true");
  expect(said).toContain("dynamic, 8 bits: 2 nodes quantized, 0 left");
});
