/** @file Every example ends in its small setting, and comes out as it should: far better than chance, never as good as the full one. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "examples-small-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const timeoutMs = 300_000; // a minute on a quiet machine

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

function run(name: string, ...args: string[]): Promise<Finished> {
  const script = join(import.meta.dirname, "..", "..", "examples", `${name}.ts`);
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}

/** What a quick look at the figures must show: name, and bounds. */
type Check = (figures: Readonly<Record<string, unknown>>, files: readonly string[]) => void;

const checks: Readonly<Record<string, Check>> = {
  cnn(figures, files) {
    expect(figures["mean"]).toBeGreaterThan(0.85); // 0.908 was seen
    expect(files).toContain("seed-1-accuracy.svg");
  },
  "better-cnn"(figures, files) {
    expect(figures["accuracy"]).toBeGreaterThan(0.6);
    expect(files).toContain("accuracy.svg");
  },
  "larger-than-memory"(figures, files) {
    expect(figures["peakBytes"]).toBeLessThan(320e6); // the data have 640e6
    expect(figures["accuracy"]).toBeGreaterThan(0.4); // six classes
    expect(files).not.toContain("pictures.bin");
  },
  "pos-tagging"(figures) {
    expect(figures["baseline"]).toBeGreaterThan(0.85);
    expect(figures["accuracy"]).toBeGreaterThan(0.8);
  },
  "spoken-digits"(figures, files) {
    expect(figures["accuracy"]).toBeGreaterThan(0.5); // 0.78 was seen; ten classes
    expect(files).toContain("confusion.svg");
  },
  "language-model"(figures, files) {
    expect(figures["bitsPerCharacter"]).toBeLessThan(3.6); // 4.4 by single characters alone
    expect(files).toEqual(expect.arrayContaining(["bits.svg", "written.txt"]));
  },
  "fine-tuning"(figures) {
    const results = figures["results"] as readonly { accuracy: number }[];
    expect(results).toHaveLength(3);
    // four directions; a new head alone stays under 0.6
    for (const { accuracy } of results.slice(1)) expect(accuracy).toBeGreaterThan(0.4);
  },
  "spam-classifier"(figures) {
    const { regression, transformer } = figures as Record<string, { accuracy: number }>;
    expect(regression?.accuracy).toBeGreaterThan(0.9);
    expect(transformer?.accuracy).toBeGreaterThan(0.8);
  },
};

describe("in its small setting", () => {
  for (const [name, check] of Object.entries(checks))
    it(
      `${name} ends, with figures, curves and a model`,
      async (test) => {
        const out = join(scratch, name);
        const { code, output } = await run(name, "--small", "--threads", "1", "--out", out);
        // only where there is no network: every other failure is one
        test.skip(/expected (npm|apt-get) to fetch it/.test(output), output.trim().split("\n").at(-1));
        expect(code, output).toBe(0);
        const files = await readdir(out);
        const report = JSON.parse(await readFile(join(out, "report.json"), "utf8"));
        expect(report).toMatchObject({ example: name, isSmall: true, seed: 1, threads: 1 });
        expect(files.some((file) => file.endsWith("loss.svg"))).toBe(true);
        expect(files.some((file) => file.endsWith(".gristmill"))).toBe(true);
        const log = (await readFile(join(out, "log.jsonl"), "utf8")).trim().split("\n");
        expect(log.map((line) => JSON.parse(line).epoch)).toContain(1);
        check(report.figures, files);
      },
      timeoutMs,
    );
});

describe("a wrong command line", () => {
  it("is answered with what was expected", async () => {
    const out = ["--out", join(scratch, "wrong")];
    expect(await run("cnn", "--data", "cifar", ...out)).toMatchObject({
      code: 1,
      output: expect.stringContaining('--data: expected mnist or fashion-mnist, received "cifar"'),
    });
    expect(await run("cnn", "--seed", "x", ...out)).toMatchObject({
      code: 2,
      output: expect.stringMatching(
        /--seed: expected a whole number from 0, received "x"[\s\S]*--help lists the options/,
      ),
    });
    expect((await run("cnn", "--colour", ...out)).output).toContain("Unknown option '--colour'");
  });

  it("is not asking for help", async () => {
    const { code, output } = await run("language-model", "--help");
    expect(code).toBe(0);
    expect(output).toMatch(/--small .*\n.*--out DIR/);
  });
});
