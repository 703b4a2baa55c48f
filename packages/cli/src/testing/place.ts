/** @file A home and a port for a real platform. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gristmill } from "./gristmill.ts";

/** Where a platform can be started. */
export interface Place {
  readonly env: { readonly GRISTMILL_HOME: string; readonly GRISTMILL_PORT: string };
  /** Stops what runs on it, and removes it with what root's PostgreSQL keeps elsewhere. */
  readonly leave: () => Promise<void>;
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return `${address.port}`;
}

/** A place that nobody uses. */
export async function makePlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "gristmill-cli-"));
  const env = { GRISTMILL_HOME: join(folder, "home"), GRISTMILL_PORT: await freePort() };
  const leave = async (): Promise<void> => {
    await gristmill(["down"], env);
    const elsewhere = await readFile(join(env.GRISTMILL_HOME, "postgres-folder"), "utf8").catch(() => "");
    if (elsewhere.startsWith("/var/lib/gristmill/")) await rm(elsewhere.trim(), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  };
  return { env, leave };
}
