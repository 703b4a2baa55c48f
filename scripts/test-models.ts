/** Fetches the real models once, tests what can be had, and says what can't: `npm run test:models [-- VITEST'S OPTIONS]`. */
import { spawnSync } from "node:child_process";
import { obtainModel } from "../examples/data/model-file.ts";
import { testModels } from "../test/models/catalogue.ts";

const paths: Record<string, string> = {};
const missing: string[] = [];
let failed = false;
for (const model of testModels)
  try {
    const obtained = await obtainModel(model);
    if ("path" in obtained) paths[model.name] = obtained.path;
    else {
      missing.push(model.name);
      console.log(`${model.name}: ${obtained.reason}`);
    }
  } catch (error) {
    failed = true;
    console.error(error instanceof Error ? error.message : error);
  }
const tested = Object.keys(paths).length;
if (tested > 0) {
  const args = ["run", "--config", "test/models/vitest.config.ts", ...process.argv.slice(2)];
  const env = { ...process.env, GRISTMILL_TEST_MODELS: JSON.stringify(paths) };
  if (spawnSync("vitest", args, { env, stdio: "inherit" }).status !== 0) failed = true;
}
console.log(`${tested} models tested, ${missing.length} not obtainable here: ${missing.join(", ") || "none"}`);
process.exitCode = failed ? 1 : 0;
