/** @file What `gristmill help` says beyond the commands: configuration, connection, exit codes. */
import { exitCodes } from "../exit-codes.ts";

/** Every variable that the platform or the command reads. */
export const variables = [
  ["GRISTMILL_HOME", "data folder (default: ~/.gristmill)"],
  ["GRISTMILL_PORT", "port to listen on (default: 7070)"],
  ["GRISTMILL_HOST", "address to listen on (default: 127.0.0.1)"],
  ["GRISTMILL_ALLOWED_HOSTS", "further names by which callers may reach it, comma-separated"],
  ["DATABASE_URL", "a PostgreSQL of yours (default: one that the platform runs itself)"],
  ["GRISTMILL_ADMIN_KEY", "the admin key (default: made on the first start, kept in the home)"],
  ["GRISTMILL_SECRET_KEY", "encrypts stored credentials (default: made on the first start, kept in the home)"],
  ["GRISTMILL_PUBLIC_URL", "where browsers reach the platform (default: as each request says)"],
  ["GRISTMILL_ALLOWED_ADDRESSES", "private networks that users' URLs may lead to, such as 10.1.0.0/16 (default: none)"],
  ["GRISTMILL_SMTP_URL", "mail server for alerts, smtp:// or smtps:// (default: no mail)"],
  ["GRISTMILL_MAIL_FROM", "sender of mail; needed with GRISTMILL_SMTP_URL"],
  [
    "GRISTMILL_USAGE_RETENTION_MONTHS",
    "single usage events are kept so long, their sums for ever (default: 0, all for ever)",
  ],
  ["GRISTMILL_STOP_SECONDS", "how long requests under way may take when it stops (default: 10)"],
  ["GRISTMILL_LOG_LEVEL", "info, warn or error (default: info)"],
  ["GRISTMILL_LOG_TO", "file, in the home, or stdout (default: file)"],
  ["GRISTMILL_URL", "of the command: the platform's address"],
  ["GRISTMILL_KEY", "of the command: the key to use"],
  ["GRISTMILL_PASSWORD", "of `gristmill login` and `member join`: the password, instead of typing it"],
  ["NO_COLOR, FORCE_COLOR", "of the command: no colours, or colours always"],
] as const;

const list = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join("\n");
};

/** Stands below the list of commands. */
export const helpText = (): string => `
Configuration (environment):
${list(variables)}

Connection: --url and --key, else GRISTMILL_URL and GRISTMILL_KEY, else the platform of the local home, as who signed in
with gristmill login, or with its admin key.

Output: tables for people; with --json one JSON value a line: a list is one line an item, a stream one line an event, and
errors are {"error": {"code", "message", "help", ...}} on standard error.

Exit codes:
${list(Object.values(exitCodes).map(({ code, means }) => [`${code}`.padStart(3), means]))}

Examples:
  $ gristmill up --detach
  $ gristmill dataset list
  $ gristmill train cnn.json --dataset mnist --epochs 3 --register digits
  $ gristmill deploy create digits --model digits
  $ gristmill predict digits seven.png
  $ gristmill usage chart --split model`;
