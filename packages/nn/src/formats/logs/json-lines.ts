/** @file One JSON object a line. JSON has no NaN and no infinity: these are written as texts, and read back as numbers. */
import { FileFormatError } from "../format-error.ts";

/** One line, with its end. Lists and objects may be inside; what is undefined is left out. */
export const jsonLine = (record: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(record, (_key, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value))}\n`;

const numbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/**
 * Objects of a log. A last line without its end that is no JSON is left out: whoever writes it may not have finished.
 * @throws FileFormatError for any other line that is no object.
 */
export function parseJsonLines(text: string): Readonly<Record<string, unknown>>[] {
  const lines = text.split("\n");
  const unfinished = lines.pop() ?? "";
  if (unfinished !== "" && isJson(unfinished)) lines.push(unfinished);
  return lines.flatMap((line, i) => (line.trim() === "" ? [] : [parseLine(line, i + 1)]));
}

function parseLine(line: string, number: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line, (_key, item: unknown) =>
      typeof item === "string" && Object.hasOwn(numbers, item) ? numbers[item] : item,
    );
  } catch (cause) {
    throw new FileFormatError(`JSON lines, line ${number}`, "expected a JSON object", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FileFormatError(`JSON lines, line ${number}`, `expected a JSON object, received ${line.slice(0, 80)}`);
  return value as Readonly<Record<string, unknown>>;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // not finished: the only thing asked
  }
}
