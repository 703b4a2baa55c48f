/**
 * Makes npm tarballs of the packages that people use alone: `node scripts/pack.ts FOLDER`.
 * Node strips no types under node_modules, so what is published is compiled: JavaScript and .d.ts.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly private?: boolean;
}

const published = ["contract", "gguf", "onnx", "nn", "sdk", "cli"] as const;
const folder = resolve(process.argv[2] ?? "dist");
const work = mkdtempSync(join(tmpdir(), "gristmill-pack-"));

try {
  mkdirSync(folder, { recursive: true });
  compile();
  for (const name of published) console.log(pack(name));
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** One compilation for all: packages import each other's sources through the workspace. */
function compile(): void {
  const config = join(work, "tsconfig.json");
  const root = process.cwd();
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        allowImportingTsExtensions: false,
        rootDir: join(root, "packages"),
        outDir: join(work, "out"),
        typeRoots: [join(root, "node_modules/@types")],
      },
      include: published.map((name) => join(root, "packages", name, "src")),
      exclude: ["**/*.test.ts", "**/testing/**", "**/*.conformance.ts"],
    }),
  );
  execFileSync("tsc", ["-p", config], { stdio: ["ignore", "inherit", "inherit"] });
}

function pack(name: string): string {
  const source = join("packages", name);
  const target = join(work, name);
  cpSync(join(work, "out", name, "src"), join(target, "dist"), { recursive: true });
  for (const file of [join(source, "README.md"), "LICENSE", "NOTICE"])
    if (existsSync(file)) cpSync(file, join(target, file.split("/").at(-1) ?? file));
  const { private: _, ...manifest } = JSON.parse(readFileSync(join(source, "package.json"), "utf8")) as Manifest;
  const compiled = (path: string) => path.replace("./src/", "./dist/").replace(/\.ts$/, ".js");
  const own = {
    ...manifest,
    engines: { node: ">=22.12" },
    files: ["dist", "LICENSE", "NOTICE", "README.md"],
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
    ...(manifest.bin && {
      bin: Object.fromEntries(Object.entries(manifest.bin).map(([command, path]) => [command, compiled(path)])),
    }),
  };
  writeFileSync(join(target, "package.json"), `${JSON.stringify(own, null, 2)}\n`);
  const made = execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], {
    cwd: target,
    encoding: "utf8",
  });
  return join(folder, made.trim().split("\n").at(-1) ?? "");
}
