/** @file The frame of every example: reads the command line, shows what goes on, and leaves a report. */
import { cpus } from "node:os";
import { relative } from "node:path";
import { type Screen, screenOf } from "@gristmill/cli";
import { RunFolder } from "./run-folder.ts";
import { type Option, readSettings, type Settings } from "./settings.ts";

/** What an example works with. */
export interface Example extends Settings {
  readonly screen: Screen;
  readonly folder: RunFolder;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Prints a line. */
  say(line?: string): void;
}

/** What came out. */
export interface Outcome {
  /** The network and how it was trained, as far as a reader needs it to compare. */
  readonly setting: Readonly<Record<string, unknown>>;
  /** What was measured, by name. */
  readonly figures: Readonly<Record<string, unknown>>;
}

/**
 * Runs an example: `body` does the work, the frame reads the settings and writes report.json. The process ends with 0, with 1
 * after an error, with 2 for a wrong command line, with 130 after Ctrl-C.
 */
export async function runExample(
  name: string,
  options: Readonly<Record<string, Option>>,
  body: (example: Example) => Promise<Outcome>,
): Promise<void> {
  const settings = settingsOf(name, options);
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort(new Error("interrupted")));
  const screen = screenOf(process.stdout, process.env);
  const say = (line = ""): void => void screen.stream.write(`${line}\n`);
  try {
    const folder = await RunFolder.open(settings.out);
    const start = performance.now();
    const outcome = await body({ ...settings, screen, folder, signal: stopping.signal, say });
    const report = {
      example: name,
      isSmall: settings.small,
      seed: settings.seed,
      threads: settings.threads ?? cpus().length,
      ...outcome,
      seconds: Math.round((performance.now() - start) / 100) / 10,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      machine: `${process.platform}-${process.arch}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.version}`,
    };
    const path = await folder.write("report.json", `${JSON.stringify(report, undefined, 2)}\n`);
    say(
      `\n${report.seconds} s; report, curves and models are in ${relative(process.cwd(), path.slice(0, -"report.json".length))}`,
    );
  } catch (error) {
    process.stderr.write(`${stopping.signal.aborted ? "Interrupted." : readable(error)}\n`);
    process.exitCode = stopping.signal.aborted ? 130 : 1;
  }
}

function settingsOf(name: string, options: Readonly<Record<string, Option>>): Settings {
  try {
    const settings = readSettings(name, process.argv.slice(2), options);
    if (typeof settings !== "string") return settings;
    process.stdout.write(`${settings}\n`);
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`${readable(error)}\nnode examples/${name}.ts --help lists the options.\n`);
    return process.exit(2);
  }
}

/** An expected failure (no network, a wrong file, an unknown option) as its sentence; a fault of ours with its place. */
const readable = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const isFault = (error instanceof TypeError || error instanceof RangeError) && !("code" in error);
  return isFault ? (error.stack ?? error.message) : error.message;
};
