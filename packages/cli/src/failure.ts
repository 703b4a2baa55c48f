/** @file What went wrong, in words for people or in JSON for programs. */
import { GristmillError } from "@gristmill/sdk";
import { remedyText } from "./remedy.ts";
import type { Output } from "./terminal/output.ts";

/** A failure of the command itself, with what to do about it. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: string;
  readonly help: string;

  constructor(code: string, message: string, help: string) {
    super(message);
    this.code = code;
    this.help = help;
  }
}

/** The command line asks for what cannot be: exit code 2. */
export class UsageError extends CliError {}

/** Thrown through waits by Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor() {
    super("interrupted");
  }
}

/** A failure as a program reads it. */
function toJson(error: unknown): Record<string, unknown> {
  if (error instanceof GristmillError) {
    const { code, message, help, retryable, requestId, details } = error;
    return { code, message, help, retryable, request_id: requestId, details };
  }
  if (error instanceof CliError) return { code: error.code, message: error.message, help: error.help };
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}

/** Says on standard error what went wrong and what to do. */
export function sayFailure(output: Output, error: unknown): void {
  if (output.json) output.note(JSON.stringify({ error: toJson(error) }));
  else sayToPerson(output, error);
}

function sayToPerson(output: Output, error: unknown): void {
  const { paint } = output.err;
  const message = error instanceof Error ? error.message : String(error);
  output.note(`${paint("bad", "✗")} ${message}`);
  const remedy = error instanceof GristmillError ? remedyText(error, output.err) : undefined;
  if (remedy !== undefined) output.note(remedy);
  else if ((error instanceof GristmillError || error instanceof CliError) && error.help !== "")
    output.note(`  ${error.help}`);
  if (error instanceof GristmillError && error.requestId !== null)
    output.note(paint("faint", `  ${error.code}, request ${error.requestId}`));
  else if (error instanceof GristmillError || error instanceof CliError) output.note(paint("faint", `  ${error.code}`));
  else if (error instanceof Error && error.stack !== undefined) output.note(paint("faint", error.stack));
}
