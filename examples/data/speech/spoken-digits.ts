/** @file Digits spoken by many synthetic voices: sound made once with eSpeak NG and kept in the cache. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { cached } from "../cache.ts";
import { npmPackage, type Say } from "../npm-package.ts";
import { npmPackages } from "../packages.ts";
import { parseWav, partsOf } from "./sound.ts";
import type { Voice } from "./voices.ts";

/** The classes, in order. */
export const digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** A digit that someone says. */
export interface Utterance {
  readonly speaker: string;
  readonly digit: number;
  /** Samples a second. */
  readonly rate: number;
  /** -1 to 1, from the first to the last sound. */
  readonly samples: Float32Array;
}

/** Each voice says each digit. @throws Error naming the voice, when its recording does not fall into ten parts. */
export async function spokenDigits(voices: readonly Voice[], say: Say, root?: string): Promise<Utterance[]> {
  const words = digits.map((digit) => `${digit}<break time="800ms"/>`).join("");
  const jobs = voices.map(({ name, speed, pitch }, i): [string, string[]] => [
    `${i}.wav`,
    ["-m", "-v", name, "-s", `${speed}`, "-p", `${pitch}`, `<speak>${words}</speak>`],
  ]);
  const recipe = createHash("sha256")
    .update(JSON.stringify([npmPackages.espeak.integrity, jobs]))
    .digest("hex");
  const espeak = await npmPackage(npmPackages.espeak, say, root);
  const folder = await cached(`speech/digits-${recipe.slice(0, 16)}`, (draft) => speak(espeak, draft, jobs, say), root);
  const spoken = await Promise.all(
    voices.map(async (voice, i) => {
      const sound = parseWav(await readFile(join(folder, `${i}.wav`)), voice.name);
      const parts = partsOf(sound);
      if (parts.length !== digits.length)
        throw new Error(`${voice.name}: expected ${digits.length} words between pauses, received ${parts.length}`);
      return parts.map((samples, digit) => ({ speaker: voice.speaker, digit, rate: sound.rate, samples }));
    }),
  );
  return spoken.flat();
}

async function speak(espeak: string, folder: string, jobs: [string, string[]][], say: Say): Promise<void> {
  say(`making speech with ${jobs.length} voices`);
  const child = spawn(process.execPath, [join(import.meta.dirname, "espeak-main.ts"), espeak], {
    cwd: folder,
    stdio: ["pipe", "ignore", "pipe"],
  });
  const said = text(child.stderr);
  child.stdin.end(JSON.stringify(jobs));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`eSpeak NG: expected it to speak, but it ended with ${code}: ${(await said).trim()}`);
}
