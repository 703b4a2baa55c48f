/** @file One call of the command, from words to an exit code. */
import type { WriteStream } from "node:tty";
import { hasCode } from "@gristmill/sdk";
import { type Command, CommanderError } from "commander";
import { exitCodes } from "./exit-codes.ts";
import { CliError, sayFailure, UsageError } from "./failure.ts";
import type { Env } from "./home.ts";
import type { Interrupts } from "./interrupts.ts";
import { isHelp, makeProgram } from "./program.ts";
import { type GlobalOptions, Session } from "./session.ts";
import { Output } from "./terminal/output.ts";
import { screenOf } from "./terminal/screen.ts";

/** What a call gets from its process. */
export interface CliParts {
  /** Without the program's own name. */
  readonly args: readonly string[];
  readonly env: Env;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
  readonly interrupts: Interrupts;
}

/** Runs the command; resolves to its exit code. Never throws. */
export async function runCli({ args, env, stdout, stderr, interrupts }: CliParts): Promise<number> {
  const out = screenOf(stdout, env);
  const err = screenOf(stderr, env);
  let exitCode: number = exitCodes.ok.code;
  let session: Session | undefined;
  const open = (command: Command): Session => {
    const options = command.optsWithGlobals<GlobalOptions>();
    session = new Session({ output: new Output(out, err, options.json === true), env, interrupts, options });
    return session;
  };
  const program = makeProgram(
    open,
    (code) => {
      exitCode = code;
    },
    { out, err },
  );
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return isHelp(error) ? exitCodes.ok.code : exitCodes.usage.code;
    if (interrupts.signal.aborted) return exitCodes.interrupted.code;
    sayFailure(new Output(out, err, program.opts<GlobalOptions>().json === true), explained(error, session?.person));
    return error instanceof UsageError ? exitCodes.usage.code : exitCodes.failure.code;
  }
}

/** To a person whose session has ended, a word about keys would say nothing. */
function explained(error: unknown, person: string | undefined): unknown {
  if (person === undefined || !hasCode(error, "auth.invalid")) return error;
  const help = `Sign in again with \`gristmill login ${person}\`, or go on with the key after \`gristmill logout\`.`;
  return new CliError("cli.session_ended", `The session of ${person} has ended.`, help);
}
