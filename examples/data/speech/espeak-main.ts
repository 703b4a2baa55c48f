/**
 * @file Speaks with eSpeak NG, as a program of its own: `node espeak-main.ts FOLDER`, with a JSON list of [file, arguments] on
 * standard input. FOLDER holds the package `espeak-ng`, which is under the GPL: that is why nothing here is imported by the rest.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

interface Spoken {
  readonly FS: { readFile(path: string): Uint8Array };
}

type Make = (options: object) => Promise<Spoken>;

const { default: make } = (await import(pathToFileURL(join(process.argv[2] ?? "", "dist", "espeak-ng.js")).href)) as {
  default: Make;
};
const jobs = JSON.parse(await text(process.stdin)) as [file: string, args: string[]][];
for (const [file, args] of jobs) {
  const program = await make({ arguments: ["-w", "out.wav", ...args], print: () => {} }); // prints how it ended
  await writeFile(file, program.FS.readFile("out.wav"));
  process.stdout.write(".");
}
