/** @file Where a model was trained: what would have to be the same for the same bits. */
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { join } from "node:path";

/** Facts for the model card. */
export const environmentOf = (threads: number): Record<string, string> => ({
  gristmill: versionIn(join(import.meta.dirname, "..", "..", "..", "package.json"), import.meta.url),
  node: process.version,
  // as the graph library sees it, which alone loads it
  onnxruntime: versionIn("onnxruntime-node/package.json", import.meta.resolve("@gristmill/onnx")),
  platform: `${process.platform}-${process.arch}`,
  processor: cpus()[0]?.model ?? "unknown",
  threads: String(threads),
});

function versionIn(packageFile: string, from: string): string {
  const load = createRequire(from);
  const read: unknown = load(packageFile);
  return typeof read === "object" && read !== null && "version" in read ? String(read.version) : "unknown";
}
