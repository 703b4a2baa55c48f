/** @file Where the server's code is. The command starts it as a process and imports nothing of it. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "../failure.ts";

/** The server's main file: of the installed package, else of the checkout that this file is in. @throws CliError */
export function serverEntry(): string {
  const candidates = [
    // Its public face is index.ts; what starts it is the file beside.
    () => join(dirname(fileURLToPath(import.meta.resolve("@gristmill/server"))), "main.ts"),
    () => fileURLToPath(new URL("../../../server/src/main.ts", import.meta.url)),
  ];
  for (const candidate of candidates) {
    try {
      const path = candidate();
      if (existsSync(path)) return path;
    } catch {
      // Not installed as a package, or its exports hide the file: the next candidate.
    }
  }
  throw new CliError(
    "cli.no_server",
    "The server's code is not on this machine.",
    "Give the address of a running one by --url or GRISTMILL_URL.",
  );
}
