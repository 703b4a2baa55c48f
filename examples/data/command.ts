import { spawn } from "node:child_process";

/** How a command ended. */
export interface Ended {
  /** Undefined when it could not be started or was killed. */
  readonly code: number | undefined;
  /** The end of what it wrote to its error output, or why it could not be started. */
  readonly said: string;
}

/** Runs a command to its end, without a shell; its standard output is dropped. */
export function runCommand(command: string, args: readonly string[], folder: string): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
    child.once("error", (error) => resolve({ code: undefined, said: error.message }));
    child.once("close", (code) => resolve({ code: code ?? undefined, said: said.trim() }));
  });
}
