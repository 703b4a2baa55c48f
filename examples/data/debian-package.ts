/** @file Data that a Debian package carries, where no npm package has it: installed, or fetched with apt's own client. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { runCommand } from "./command.ts";
import { checkIntegrity, type Say } from "./npm-package.ts";

/** One version of a package of Debian. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** Of the .deb: "sha256-" and base64. Another content is refused. */
  readonly integrity: string;
}

/**
 * The folder into which the package was unpacked, without installing it.
 * @param otherwise what a person without apt can do.
 * @throws Error saying what apt said and what to do.
 */
export function debianPackage(wanted: DebianPackage, otherwise: string, say: Say, root?: string): Promise<string> {
  const { name, version, integrity } = wanted;
  return cached(
    `debian/${name}-${version.replaceAll(/[^\w.+-]/g, "-")}`,
    async (draft) => {
      say(`fetching Debian's package ${name}`);
      const fetched = await runCommand("apt-get", ["download", `${name}=${version}`], draft);
      const file = (await readdir(draft)).find((path) => path.endsWith(".deb"));
      if (fetched.code !== 0 || file === undefined)
        throw new Error(`${name}: expected apt-get to fetch it, but it could not (${fetched.said}). ${otherwise}`);
      await checkIntegrity(join(draft, file), name, integrity);
      const unpacked = await runCommand("dpkg-deb", ["-x", file, "."], draft);
      if (unpacked.code !== 0)
        throw new Error(`${name}: dpkg-deb could not unpack it (${unpacked.said}). ${otherwise}`);
      await rm(join(draft, file));
    },
    root,
  );
}
