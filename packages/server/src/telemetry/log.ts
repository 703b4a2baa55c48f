/** @file Log lines: one JSON object a line, cleaned of secrets. */
import type { Log } from "../feature.ts";

/** From talkative to silent. */
export type LogLevel = "info" | "warn" | "error";

const ranks: Readonly<Record<LogLevel, number>> = { info: 0, warn: 1, error: 2 };

/** Where lines go; each ends with a newline. */
export type WriteLine = (line: string, level: LogLevel) => void;

/** Makes a log. Fields named `err` may hold an Error, which is written with its stack and causes. */
export function createLog(options: { level: LogLevel; write: WriteLine; now: () => Date }): Log {
  const { level: lowest, write, now } = options;
  const at = (level: LogLevel) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    if (ranks[level] < ranks[lowest]) return;
    const line = JSON.stringify({ time: now().toISOString(), level, message, ...fields }, plain);
    write(`${withoutSecrets(line)}\n`, level);
  };
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

/**
 * Keys and passwords by their form, wherever they turn up: in a message of a library, in a URL, in a header.
 * The prefix of a key stays, because it names the key without being one.
 */
export const withoutSecrets = (text: string): string =>
  text
    .replace(/\b(gm_(?:admin|[0-9A-Za-z]{8}))_[0-9A-Za-z]{16,}/g, "$1_***")
    .replace(/\bwhsec_[0-9A-Za-z+/=]{8,}/g, "whsec_***")
    .replace(/\b(Bearer\s+)(?!gm_)[^\s"\\]+/gi, "$1***")
    .replace(/(\w+:\/\/[^\s:@/"]*):[^\s@/"]+@/g, "$1:***@");

/** What JSON has no form for. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return {
    name,
    message,
    ...("code" in value ? { code: value.code } : {}),
    stack,
    ...(cause === undefined ? {} : { cause }),
  };
}
