/** @file The server's process: `node main.ts [serve | backup FILE | restore FILE | help]`. */
import { nodeVersionProblem } from "./node-version.ts";

const problem = nodeVersionProblem(process.version);
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
} else {
  // Only now: what an older Node can't read must not be loaded before the sentence above.
  const { run } = await import("./process.ts");
  await run();
}
