/** @file The life of the server's process: what it prints, which signals end it, and with which exit code. */
import { join } from "node:path";
import { AppError, type ErrorCode, errorTable } from "@gristmill/contract";
import type { App } from "./app.ts";
import { type Command, type Config, configHelp, readConfig } from "./config.ts";
import type { Log } from "./feature.ts";
import { forgetServer, prepareHome, recordServer } from "./home.ts";
import { adminKeyFile } from "./identity/index.ts";
import { createLog, LogFile } from "./telemetry/index.ts";

/** Exit codes beside 0 and 1, for scripts. */
const exitCodes: Partial<Record<ErrorCode, number>> = {
  "config.invalid": 2,
  "port.in_use": 3,
  "home.not_writable": 4,
  "home.in_use": 5,
  "home.newer": 6,
};

/** Reads the configuration and does what the command line asks. Sets the exit code; returns when the work is done. */
export async function run(): Promise<void> {
  try {
    const { command, config } = readConfig(process.argv.slice(2), process.env);
    await perform(command, config);
  } catch (error) {
    fail(error);
  }
}

async function perform(command: Command, config: Config): Promise<void> {
  switch (command.kind) {
    case "help":
      process.stdout.write(configHelp());
      return;
    case "serve":
      return await serve(config);
    case "backup":
    case "restore":
      return await saveOrLoad(command, config);
  }
}

async function saveOrLoad(command: Extract<Command, { file: string }>, config: Config): Promise<void> {
  const { backupHome, restoreHome } = await import("./home-commands.ts");
  const stopping = new AbortController();
  const onSignal = () => stopping.abort(new AppError("request.cancelled", `The ${command.kind} was stopped.`));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, onSignal);
  const log = createLog({
    level: "warn",
    now: () => new Date(),
    write: (line) => process.stderr.write(shortLine(line)),
  });
  const perform = command.kind === "backup" ? backupHome : restoreHome;
  const onProgress = process.stdout.isTTY ? showProgress : () => {};
  const { tables, rows, objects, sizeBytes } = await perform(command.file, {
    config,
    log,
    signal: stopping.signal,
    onProgress,
  });
  const done = command.kind === "backup" ? `${command.file} holds` : `${config.home} has`;
  process.stdout.write(`${done} ${rows} rows of ${tables} tables and ${objects} objects (${sizeBytes} bytes).\n`);
}

/** One line that is written over; only to a person's screen. */
function showProgress(doneBytes: number, totalBytes: number): void {
  const percent = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
  process.stdout.write(`\r${percent} %${percent === 100 ? "\n" : ""}`);
}

async function serve(config: Config): Promise<void> {
  await prepareHome(config.home);
  const { log, close } = openLog(config);
  process.on("uncaughtExceptionMonitor", (err) => log.error({ err }, "A fault ended the process."));
  const stopping = new AbortController();
  const onSignal = (signal: string) => stopping.abort(signal);
  // From the first moment: a signal during the start stops what was started by then.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, onSignal);
  try {
    // Here, so that `help` and a wrong setting are told without loading the platform.
    const { startApp } = await import("./app.ts");
    const app = await startApp({ config, log, onLost: (error) => stopping.abort(error) });
    if (!stopping.signal.aborted) {
      await recordServer(config.home, app.url);
      announce(app, config);
      log.info({ url: app.url, pid: process.pid }, "ready");
    }
    await aborted(stopping.signal);
    const { reason } = stopping.signal;
    log.info({ reason: reason instanceof Error ? reason.message : reason }, "stopping");
    await forgetServer(config.home);
    await stop(app, config);
    log.info({}, "stopped");
    if (reason instanceof AppError) throw reason;
  } finally {
    await close();
  }
}

/** Graceful; the second signal makes it hard: then only PostgreSQL is still told to stop, which it does by itself. */
async function stop(app: App, config: Config): Promise<void> {
  process.stdout.write(
    `Stopping; requests under way have ${config.stopSeconds} s. Press Ctrl-C again to stop at once.\n`,
  );
  const databasePid = await app.databasePid();
  const hard = () => {
    if (databasePid !== undefined) process.kill(databasePid, "SIGINT");
    process.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, hard);
  await app.stop();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, hard);
}

function announce(app: App, config: Config): void {
  const lines = [`Gristmill is ready at ${app.url}`];
  const file = join(config.home, adminKeyFile);
  if (config.adminKey !== undefined) lines.push("The admin key is the one of GRISTMILL_ADMIN_KEY.");
  // Only to a person's screen: what is piped ends up in log collectors.
  else if (process.stdout.isTTY) lines.push(`Admin key: ${app.adminKey}`, `It is kept in ${file}`);
  else lines.push(`The admin key is in ${file}`);
  lines.push(`API reference: ${app.url}/docs`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** In a file lines are for programs, so people get warnings and errors on standard error too. */
function openLog(config: Config): { log: Log; close: () => Promise<void> } {
  const now = () => new Date();
  const { logLevel: level } = config;
  if (config.logTo === "stdout") {
    const log = createLog({ level, now, write: (line) => process.stdout.write(line) });
    return { log, close: async () => {} };
  }
  const file = new LogFile(join(config.home, "log", "gristmill.log"));
  const log = createLog({
    level,
    now,
    write: (line, severity) => {
      file.write(line);
      if (severity !== "info") process.stderr.write(shortLine(line));
    },
  });
  return { log, close: () => file.close() };
}

function shortLine(line: string): string {
  const { level, message, request_id: requestId, err } = JSON.parse(line) as Record<string, unknown>;
  const cause = typeof err === "object" && err !== null && "message" in err ? `: ${err.message}` : "";
  return `${level}: ${message}${requestId === undefined ? "" : ` (${requestId})`}${cause}\n`;
}

function fail(error: unknown): void {
  if (error instanceof AppError) {
    process.stderr.write(`${error.message}\n${errorTable[error.code].help} [${error.code}]\n`);
    process.exitCode = exitCodes[error.code] ?? 1;
  } else {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = 1;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
