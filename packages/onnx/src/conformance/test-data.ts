/**
 * @file ONNX's own operator tests, as Debian packages them (libonnx-testdata 1.12.0-2: 1,072 models with inputs and
 * outputs). Taken from /usr/share where it is installed; else downloaded with apt-get and unpacked into the temporary
 * folder, once. Nothing is installed.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const debianPackage = "libonnx-testdata=1.12.0-2";
const inside = "usr/share/libonnx-testdata/data";
const kept = join(tmpdir(), "gristmill-onnx-testdata-1.12.0");

/** The folder with the data, or why there is none. */
export type TestData = { readonly folder: string } | { readonly missing: string };

/** Finds the data, or fetches it. */
export function findTestData(): TestData {
  for (const folder of [join("/", inside), join(kept, inside)]) if (existsSync(folder)) return { folder };
  const scratch = mkdtempSync(`${kept}-`);
  try {
    const options = { cwd: scratch, stdio: "pipe", timeout: 30_000 } as const;
    // whoever has no network shall not wait for it
    const patience = ["-o", "Acquire::http::Timeout=5", "-o", "Acquire::Retries=0"];
    execFileSync("apt-get", ["download", "--quiet", ...patience, debianPackage], options);
    const file = readdirSync(scratch).find((name) => name.endsWith(".deb"));
    if (file === undefined) return { missing: "apt-get download gave no file" };
    mkdirSync(join(scratch, "unpacked"));
    execFileSync("dpkg-deb", ["-x", file, "unpacked"], options);
    // whoever comes second finds the folder in place, and uses that
    if (!existsSync(kept)) renameSync(join(scratch, "unpacked"), kept);
    return { folder: join(kept, inside) };
  } catch (error) {
    const said = error instanceof Error ? error.message.split("\n").filter(Boolean).at(-1) : String(error);
    return { missing: `apt-get download ${debianPackage}: ${said}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
