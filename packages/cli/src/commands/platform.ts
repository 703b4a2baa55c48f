/** @file Commands about the platform itself: up, down, status, backup, restore. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { CliError } from "../failure.ts";
import { type Env, findServer, homeOf } from "../home.ts";
import { isReady, logPath, runServer, startDetached, stopServer } from "../server/launch.ts";
import type { Session } from "../session.ts";
import { type OpenSession, verb, wholeNumber } from "./command.ts";

/** Tells the caller which exit code the server had. */
export type SetExitCode = (code: number) => void;

interface PlaceFlags {
  readonly home?: string;
  readonly port?: number;
  readonly host?: string;
}

/** Flags as the variables that the server reads. */
function placeEnv(env: Env, { home, port, host }: PlaceFlags): Env {
  return {
    ...env,
    ...(home === undefined ? {} : { GRISTMILL_HOME: resolve(home) }),
    ...(port === undefined ? {} : { GRISTMILL_PORT: `${port}` }),
    ...(host === undefined ? {} : { GRISTMILL_HOST: host }),
  };
}

const withHome = (command: Command): Command =>
  command.option("--home <folder>", "data folder (default: ~/.gristmill)");

/** `gristmill up` */
export function upCommand(open: OpenSession, setExitCode: SetExitCode): Command {
  const up = withHome(
    verb("up", "Start the platform, with everything it needs", [
      "gristmill up",
      "gristmill up --detach",
      "gristmill up --home ./data --port 8080",
    ]),
  )
    .option("--port <port>", "where to listen (default: 7070)", wholeNumber(1, 65_535))
    .option("--host <address>", "where to listen (default: 127.0.0.1)")
    .option("-d, --detach", "leave it running and return when it is ready");
  up.action(async (flags: PlaceFlags & { detach?: boolean }) => {
    const session = open(up);
    const { output } = session;
    const env = placeEnv(session.env, flags);
    const running = await findServer(homeOf(env));
    if (running !== undefined)
      throw new CliError(
        "home.in_use",
        `A Gristmill runs on ${homeOf(env)} already: ${running.url}`,
        "Stop it with `gristmill down`, or choose another --home.",
      );
    if (flags.detach !== true) return setExitCode(await runServer([], env));
    const { url, pid } = await startDetached(env, session.signal);
    const home = homeOf(env);
    output.facts({ url, pid, home, log: logPath(home) }, () => [
      ["runs at", output.out.paint("strong", url)],
      ["process", `${pid}`],
      ["home", home],
      ["log", logPath(home)],
      ["stop", "gristmill down"],
    ]);
  });
  return up;
}

/** `gristmill down` */
export function downCommand(open: OpenSession): Command {
  const down = withHome(
    verb("down", "Stop the platform of this home; it finishes what it is doing", ["gristmill down"]),
  );
  down.action(async (flags: PlaceFlags) => {
    const { env, output, signal } = open(down);
    const home = homeOf(placeEnv(env, flags));
    const stopped = await stopServer(home, signal);
    if (stopped === undefined)
      return output.result(() => `No platform that this command started runs on ${home}.`, { home, stopped: false });
    output.result(() => `Stopped ${stopped.url}.`, { home, stopped: true, url: stopped.url, pid: stopped.pid });
  });
  return down;
}

/** `gristmill status` */
export function statusCommand(open: OpenSession): Command {
  const status = verb("status", "Say whether the platform answers, and where", [
    "gristmill status",
    "gristmill status --json",
  ]);
  status.action(async () => {
    const session: Session = open(status);
    const { output } = session;
    const url = await session.url();
    const ready = await isReady(url, session.signal);
    const server = await findServer(session.home);
    const { paint } = output.out;
    output.facts({ url, ready, home: session.home, pid: server?.pid ?? null }, () => [
      ["address", paint("strong", url)],
      ["state", ready ? paint("good", "ready") : paint("bad", "not running")],
      ["home", session.home],
      ...(server === undefined ? [] : [["process", `${server.pid}`] as [string, string]]),
    ]);
    if (!ready)
      throw new CliError("cli.not_running", `No Gristmill is ready at ${url}.`, "Start one with `gristmill up`.");
  });
  return status;
}

/** `gristmill backup` and `gristmill restore`: the server's own, since they work on the home, not over HTTP. */
export function homeCommand(name: "backup" | "restore", open: OpenSession, setExitCode: SetExitCode): Command {
  const words = {
    backup: "Write everything of the home (database and objects, with hashes) into one file",
    restore: "Fill an empty home from a backup",
  };
  const command = withHome(verb(`${name} <file>`, words[name], [`gristmill ${name} gristmill.tar`]));
  command.action(async (file: string, flags: PlaceFlags) =>
    setExitCode(await runServer([name, resolve(file)], placeEnv(open(command).env, flags))),
  );
  return command;
}
