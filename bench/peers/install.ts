/** @file Installs the peers that a benchmark asks for, outside the project's own dependencies; says why when it cannot. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const home = join(here, "..", "..", ".bench");

/** A command's outcome: its output when it succeeded, else the end of what it said. */
export type Outcome = { readonly ok: true; readonly output: string } | { readonly ok: false; readonly reason: string };

/** Runs a command to its end, or to the time limit. */
export function runCommand(command: string, args: readonly string[], timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let [output, complaints] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2000)));
    child.on("error", (error) => resolve({ ok: false, reason: error.message }));
    child.on("close", (code, signal) => {
      const said = complaints.trim().split("\n").at(-1) ?? "";
      if (code === 0) resolve({ ok: true, output });
      else
        resolve({
          ok: false,
          reason: signal === null ? said || `exit code ${code}` : `stopped after ${timeoutMs / 1000} s`,
        });
    });
  });
}

/** TensorFlow.js, from bench/peers/package-lock.json. */
export async function installTfjs(): Promise<Outcome> {
  if (existsSync(join(here, "node_modules", "@tensorflow", "tfjs"))) return { ok: true, output: "" };
  return runCommand("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", here], 300_000);
}

/** A Python with the packages of a requirements file, in .bench/venv; the path of its interpreter is the output. */
export async function installPython(requirements: string): Promise<Outcome> {
  const folder = join(home, "venv");
  const python = join(folder, "bin", "python");
  if (!existsSync(python)) {
    const made = await runCommand("python3", ["-m", "venv", folder], 120_000);
    if (!made.ok) return made;
  }
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", join(here, requirements)];
  const installed = await runCommand(python, args, 1_200_000);
  return installed.ok ? { ok: true, output: python } : installed;
}
