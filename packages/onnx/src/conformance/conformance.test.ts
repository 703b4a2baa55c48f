/**
 * @file Every model of ONNX's own operator tests, against our reading, typing, writing and running. `refused.txt` lists
 * what does not pass and why, both ways: a model that begins to pass must leave it. After a look at the difference,
 * `npm test -- packages/onnx/src/conformance -u` writes it anew.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reasonOf } from "./reason.ts";
import { runCase } from "./run-case.ts";
import { findTestData } from "./test-data.ts";
import { toleranceOf } from "./tolerance.ts";

const data = findTestData();
if ("missing" in data)
  console.log(`ONNX's operator tests are left out, since their data cannot be had: ${data.missing}`);

describe.skipIf("missing" in data)("the operator tests of ONNX 1.12", () => {
  it("pass, but for those that refused.txt lists", async () => {
    const folder = "folder" in data ? data.folder : "";
    const refused: string[] = [];
    let passed = 0;
    for (const name of modelsIn(folder)) {
      const reason = await reasonAgainst(folder, name);
      if (reason === undefined) passed++;
      else if (reason.holdsEverywhere) refused.push(`${name}: ${reason.text}`);
    }
    expect(passed).toBeGreaterThan(980);
    await expect(`${refused.join("\n")}\n`).toMatchFileSnapshot("refused.txt");
  });
});

/** Folders with a model, such as "node/test_add", sorted. */
function modelsIn(folder: string): string[] {
  const names = readdirSync(folder).flatMap((kind) => readdirSync(join(folder, kind)).map((name) => `${kind}/${name}`));
  return names.filter((name) => existsSync(join(folder, name, "model.onnx"))).sort();
}

async function reasonAgainst(folder: string, name: string) {
  try {
    await runCase(join(folder, name), toleranceOf(name));
    return undefined;
  } catch (error) {
    return reasonOf(error instanceof Error ? error.message : String(error));
  }
}
