/** Prints how many files there are and how long they are, in all and per package: a number to look at, not to golf. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const files = execFileSync("git", ["ls-files", "--", "*.ts", "*.mjs"], { encoding: "utf8" }).trim().split("\n");
const lines = new Map(files.map((file) => [file, readFileSync(file, "utf8").split("\n").length - 1]));

function report(title: string, chosen: readonly string[]): void {
  if (chosen.length === 0) return;
  const sizes = chosen.map((file) => lines.get(file) ?? 0).sort((a, b) => a - b);
  const at = (share: number) => sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * share))];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const longest = chosen.reduce((a, b) => ((lines.get(a) ?? 0) >= (lines.get(b) ?? 0) ? a : b));
  console.log(
    `${title.padEnd(12)} ${String(chosen.length).padStart(5)} files ${String(total).padStart(7)} lines  ` +
      `median ${at(0.5)}, p90 ${at(0.9)}, largest ${lines.get(longest)} ${longest}`,
  );
}

const isTest = (file: string) => /\.(test|conformance|bench)\.ts$|^test\/|\/testing\//.test(file);
const source = files.filter((file) => !isTest(file));
for (const name of new Set(source.map((file) => /^packages\/([^/]+)\//.exec(file)?.[1] ?? "the rest")))
  report(
    name,
    source.filter((file) => (/^packages\/([^/]+)\//.exec(file)?.[1] ?? "the rest") === name),
  );
report("source", source);
report("tests", files.filter(isTest));
