/** Types, lint, no floats on the path of money, and import arrows; stops at the first that fails. */
import { spawnSync } from "node:child_process";

function run(command: string, ...args: string[]): string {
  const { status, stdout } = spawnSync(command, args, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  process.stdout.write(stdout);
  if (status !== 0) process.exit(1);
  return stdout;
}

run("tsc", "--noEmit");
run("biome", "check", "--error-on-warnings", ".");
run("node", "scripts/money-path.ts");
const arrows = run("depcruise", "packages", "--config", ".dependency-cruiser.mjs", "--output-type", "err");
// With a TypeScript it cannot use (7.x), dependency-cruiser reads nothing, finds "no violations" and exits 0.
if (!/\([1-9]\d* modules/.test(arrows)) throw new Error("dependency-cruiser read no module: its TypeScript is gone");
