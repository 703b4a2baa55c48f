/** @file What is left running, and what to do with it. */
import { name } from "../network.ts";
import type { Stage } from "../stage.ts";
import type { Platform } from "./platform.ts";

/** Says where the platform is, with which key, how to stop it, and what to try. */
export function farewell(
  { screen: { paint }, say }: Pick<Stage, "screen" | "say">,
  platform: Platform,
  image: string,
): void {
  const { url, key } = platform;
  say(`\n${paint("strong", "The platform keeps running.")}`);
  say(`   address      ${paint("accent", url)}`);
  say(`   key          ${paint("accent", key)}   (project default; shown this once)`);
  say(`   API          ${url}/docs`);
  say("   stop         npm run gristmill -- down");
  say(`\n${paint("strong", "Try next")}`);
  say(`   export GRISTMILL_KEY=${key}`);
  say('   curl -H "Authorization: Bearer $GRISTMILL_KEY" -H "content-type: image/png" \\');
  say(`     --data-binary @${image} \\`);
  say(`     "${url}/api/services/image-classification?model=${name}&top=3"`);
  say(`   npm run gristmill -- predict ${name} ${image}`);
  say(`   npm run gristmill -- dataset preview ${name} --split test --limit 24`);
  say(`   npm run gristmill -- model show ${name}`);
  say("   npm run gristmill -- usage --group-by meter,model");
  say("   npm run gristmill -- help");
  say("   docs/guide/first-model.md builds the same by hand.");
}
