import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

it("the example of README.md runs and prints what it says", () => {
  const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  // inside the package, so that its name resolves as it does for any other user
  const folder = mkdtempSync(join(import.meta.dirname, "..", "readme-"));
  try {
    writeFileSync(join(folder, "example.ts"), code);
    const output = execFileSync(process.execPath, [join(folder, "example.ts")], { encoding: "utf8", timeout: 60_000 });
    const said = /console\.log\(.*\); \/\/ (.*)/.exec(code)?.[1];
    expect(output.trim()).toBe(said);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
