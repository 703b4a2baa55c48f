/** @file Data ten times larger than the memory that a training may take. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const child = fileURLToPath(new URL("testing/fed-process.ts", import.meta.url));

/** What a training of so much data says of itself. */
async function trained(form: "source" | "stream", mebibytes: number) {
  const command = ["--disable-warning=ExperimentalWarning", child, form, String(mebibytes)];
  const { stdout } = await promisify(execFile)(process.execPath, command);
  return JSON.parse(stdout) as { samples: number; dataBytes: number; grownBytes: number; accuracy: number };
}

// Runs hold 32 MiB twice, the runtime some of its own; a stream's batches are garbage that is not collected at once.
it.each([
  ["source", 1536],
  ["stream", 3072],
] as const)(
  "a %s of ten times the memory that it takes is trained on",
  async (form, mebibytes) => {
    const { samples, dataBytes, grownBytes, accuracy } = await trained(form, mebibytes);
    expect(dataBytes).toBe(mebibytes * 2 ** 20);
    expect(samples * 64 * 64).toBe(dataBytes);
    expect(accuracy).toBeGreaterThan(0.99);
    expect(grownBytes).toBeLessThan(dataBytes / 10);
  },
  60_000,
);
