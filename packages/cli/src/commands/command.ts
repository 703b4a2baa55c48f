/** @file What all commands share: how one is declared, its examples, its numbers. */
import { Command, InvalidArgumentError } from "commander";
import type { Session } from "../session.ts";
import { time } from "./times.ts";

/** Makes the session of the command that was called, with the options given anywhere on its line. */
export type OpenSession = (command: Command) => Session;

/** A noun with its verbs. */
export function noun(name: string, description: string, ...verbs: Command[]): Command {
  const command = new Command(name).description(description);
  for (const verb of verbs) command.addCommand(verb);
  return command;
}

/** A verb, with examples that its help shows. */
export function verb(usage: string, description: string, examples: readonly string[]): Command {
  const [name = "", ...args] = usage.split(" ");
  const command = new Command(name).description(description);
  for (const arg of args) command.argument(arg);
  return withExamples(command, examples);
}

/** Adds examples below a command's help. */
export const withExamples = (command: Command, examples: readonly string[]): Command =>
  command.addHelpText("after", `\nExamples:\n${examples.map((line) => `  $ ${line}`).join("\n")}`);

/** Reads an option's whole number. */
export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };

/** Reads an option's number within bounds; both ends belong to it. */
export const numberBetween =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`);
  };

/** Gathers an option that may be given several times. */
export const gather = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
];

/** `--limit` of lists. */
export const withLimit = (command: Command): Command =>
  command.option("--limit <count>", "how many at most, newest first", wholeNumber(1), 20);

/** The fields that were given: what an option that was left out would set stays as the server has it. */
export const given = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

/** "a,b" → ["a", "b"]. */
export const commaSeparated = (text: string): readonly string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** `--from` and `--to` of reports. */
export const withSpan = (command: Command, from = "30 days ago"): Command =>
  command
    .option("--from <time>", `begin: 2026-11-01, RFC 3339, or 7d for so long ago (default: ${from})`, time)
    .option("--to <time>", "end, exclusive (default: now)", time);

/** A span as options give it. */
export interface SpanFlags {
  readonly from?: string;
  readonly to?: string;
}
