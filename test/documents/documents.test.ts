import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { errorTable } from "@gristmill/contract";
import { describe, expect, it } from "vitest";
import { errorsDocument } from "./errors-document.ts";
import { noticesDocument, runtimeDependencies } from "./notices-document.ts";

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" })
  .trim()
  .split("\n")
  .filter((file) => existsSync(file));
const sources = tracked.filter((file) => /^packages\/[^/]+\/src\/.*\.ts$/.test(file) && !/\.test\.ts$/.test(file));

describe("docs/errors.md", () => {
  it("is the error table, word for word", () => {
    expect(readFileSync("docs/errors.md", "utf8"), "run `node scripts/errors-doc.ts`").toBe(errorsDocument());
  });

  it("lists only codes that the code can raise", () => {
    const text = sources
      .filter((file) => file !== "packages/contract/src/errors.ts")
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");
    const unused = Object.keys(errorTable).filter((code) => !text.includes(`"${code}"`));
    expect(unused).toEqual([]);
  });
});

describe("docs/dependencies.md", () => {
  it("has a line for each runtime dependency, and for nothing else", () => {
    const rows = [...readFileSync("docs/dependencies.md", "utf8").matchAll(/^\| `([^`]+)` \|/gm)].map(
      (match) => match[1],
    );
    expect([...rows].sort()).toEqual([...runtimeDependencies()].sort());
  });
});

describe("THIRD-PARTY-NOTICES.md", () => {
  it("lists every package that the lockfile installs for running, with its licence", () => {
    expect(readFileSync("THIRD-PARTY-NOTICES.md", "utf8"), "run `node scripts/notices.ts`").toBe(noticesDocument());
  });
});

describe("README.md", () => {
  it("stays under 150 lines", () => {
    expect(readFileSync("README.md", "utf8").split("\n").length).toBeLessThan(150);
  });
});

describe("rules of the features", () => {
  const readmes = tracked.filter((file) => /^packages\/.*\/README\.md$/.test(file));
  it.each(readmes)("%s: every rule id appears in a test's name", (readme) => {
    const ids = [...readFileSync(readme, "utf8").matchAll(/^(?:[-*] )?\*{0,2}\[([A-Z]{2,4}\d+)\]/gm)].map(
      (match) => match[1],
    );
    const tests = tracked
      .filter((file) => /\.(test|conformance)\.ts$|\/testing\//.test(file))
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");
    expect(ids.filter((id) => !tests.includes(`[${id}]`))).toEqual([]);
  });
});

describe("docstrings", () => {
  it("stand on everything that packages export to people", () => {
    const missing: string[] = [];
    for (const file of sources.filter((name) => !/\/(api|testing)\//.test(name))) {
      const lines = readFileSync(file, "utf8").split("\n");
      lines.forEach((line, index) => {
        if (!/^export (async )?(abstract )?(function|class|interface|const|type) \w/.test(line)) return;
        // A row or message type says no more than the table or schema above it.
        if (/= (Selectable|Insertable|Extract|z\.infer|z\.input)</.test(line)) return;
        const before = lines[index - 1]?.trim() ?? "";
        if (!before.endsWith("*/")) missing.push(`${file}:${index + 1} ${line.slice(0, 80)}`);
      });
    }
    expect(missing).toEqual([]);
  });
});
