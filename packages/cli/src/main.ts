#!/usr/bin/env node
import { runCli } from "./cli.ts";
import { exitCodes } from "./exit-codes.ts";
import { Interrupts } from "./interrupts.ts";

const interrupts = new Interrupts(() => process.exit(exitCodes.interrupted.code));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupts.arrive());
// A reader that has seen enough (`gristmill run list | head -1`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok.code);
  throw error;
});

const { stdout, stderr, env } = process;
process.exitCode = await runCli({ args: process.argv.slice(2), env, stdout, stderr, interrupts });
