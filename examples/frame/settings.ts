/** @file The command line of an example: what all of them take, and what each takes beside it. */
import { join } from "node:path";
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** What every example takes. */
export interface Settings {
  /** The setting of the tests, which ends within a minute. */
  readonly small: boolean;
  /** Folder of the run. */
  readonly out: string;
  readonly seed: number;
  /** Of each run of a program; all cores when undefined. */
  readonly threads: number | undefined;
  /** The example's own options, as written. */
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

/** An option of one example. */
export interface Option {
  /** What stands for its value in the help; an option without it is a switch. */
  readonly value?: string;
  readonly help: string;
}

const common: Readonly<Record<string, Option>> = {
  small: { help: "a setting that ends within a minute" },
  out: { value: "DIR", help: "folder of log, report, curves and models (examples/runs/NAME)" },
  seed: { value: "N", help: "of first weights, order and everything drawn (1)" },
  threads: { value: "N", help: "of each run (all cores)" },
  help: { help: "this text" },
};

/** Reads a command line. @returns the help text instead, when that is asked for. @throws Error naming what is wrong. */
export function readSettings(
  name: string,
  args: readonly string[],
  own: Readonly<Record<string, Option>>,
): Settings | string {
  const all = { ...common, ...own };
  const config: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(all).map(([option, { value }]) => [option, { type: value === undefined ? "boolean" : "string" }]),
  );
  const { values } = parseArgs({ args: [...args], options: config });
  const given = values as Readonly<Record<string, string | boolean | undefined>>;
  if (given["help"] === true) return helpText(name, all);
  const { out } = given;
  return {
    small: given["small"] === true,
    out: typeof out === "string" ? out : join(import.meta.dirname, "..", "runs", name),
    seed: wholeNumber(given["seed"] ?? "1", "--seed", 0),
    threads: given["threads"] === undefined ? undefined : wholeNumber(given["threads"], "--threads", 1),
    values: given,
  };
}

/** A whole number that was typed. @throws Error naming the option. */
export function wholeNumber(typed: string | boolean, option: string, least: number): number {
  const value = Number(typed);
  if (typeof typed !== "string" || typed.trim() === "" || !Number.isSafeInteger(value) || value < least)
    throw new Error(`${option}: expected a whole number from ${least}, received "${typed}"`);
  return value;
}

function helpText(name: string, options: Readonly<Record<string, Option>>): string {
  const rows = Object.entries(options).map(([option, { value, help }]): [string, string] => [
    `--${option}${value === undefined ? "" : ` ${value}`}`,
    help,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [`node examples/${name}.ts`, ...rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`)].join("\n");
}
