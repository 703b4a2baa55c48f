/** @file Node's permission model for a child: what it may read and write, as flags. */
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

/**
 * Flags that allow a child the platform's code, its own paths, and native libraries, and nothing else: no child
 * processes, no worker threads.
 * @throws RangeError for a path that is relative or that the model would read as a pattern.
 */
export function permissionFlags(readPaths: readonly string[], writePaths: readonly string[]): string[] {
  return [
    "--permission",
    "--allow-addons",
    // Node warns that native libraries are outside its model, once a process; ours are chosen.
    "--disable-warning=SecurityWarning",
    ...allowed("read", [...codePaths(), ...readPaths, ...writePaths]),
    ...allowed("write", writePaths),
  ];
}

/** This package, and every node_modules folder above it, with the workspaces that are linked there. */
function codePaths(): string[] {
  const root = join(import.meta.dirname, "..", "..");
  const paths = [root];
  for (let folder = root; ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(modules)) {
      paths.push(modules);
      const own = join(modules, "@gristmill");
      if (existsSync(own)) paths.push(...readdirSync(own).map((name) => realpathSync(join(own, name))));
    }
    if (dirname(folder) === folder) return paths;
  }
}

function allowed(kind: "read" | "write", paths: readonly string[]): string[] {
  const flags = new Set<string>();
  for (const path of paths) {
    if (!isAbsolute(path) || path.includes("*"))
      throw new RangeError(`child ${kind} path: expected an absolute path without "*", received ${path}`);
    if (!existsSync(path)) {
      flags.add(path);
      continue;
    }
    // The model compares texts: a folder needs its slash, and a path through a link counts under both names.
    for (const name of [path, realpathSync(path)])
      flags.add(statSync(name).isDirectory() && !name.endsWith("/") ? `${name}/` : name);
  }
  return [...flags].map((path) => `--allow-fs-${kind}=${path}`);
}
