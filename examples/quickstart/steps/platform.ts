/** @file Finds the home's running platform, or starts one. */
import { createServer } from "node:net";
import { defaultUrl, type Env, findServer, homeOf, isReady, readAdminKey, startDetached } from "@gristmill/cli";
import { Gristmill } from "@gristmill/sdk";
import type { Stage } from "../stage.ts";

/** The platform that the rest works with. */
export interface Platform {
  readonly url: string;
  readonly home: string;
  /** Acts in the project `default`, with a key made for this session. */
  readonly client: Gristmill;
  readonly key: string;
  /** Ours to stop. */
  readonly isStartedHere: boolean;
}

/** Uses the platform of the home if one runs there; else starts one, which stays when we end. */
export async function openPlatform(stage: Stage, env: Env, keyName: string): Promise<Platform> {
  const home = homeOf(env);
  const running = await findRunning(home, env, stage.signal);
  const url =
    running ?? (await startDetached({ ...env, GRISTMILL_PORT: `${await choosePort(env)}` }, stage.signal)).url;
  const admin = await adminClient(url, home, env);
  const { key } = await admin.keys.create({ name: keyName }, { signal: stage.signal });
  stage.done(running === undefined ? `started at ${url}` : `already runs at ${url}`);
  stage.say(`     home ${home}`);
  return { url, home, key, client: new Gristmill({ baseUrl: url, apiKey: key }), isStartedHere: running === undefined };
}

async function findRunning(home: string, env: Env, signal: AbortSignal): Promise<string | undefined> {
  const recorded = await findServer(home);
  if (recorded !== undefined && (await isReady(recorded.url, signal))) return recorded.url;
  // One that `npm start` started leaves no record: it is this home's if it takes this home's key.
  const url = defaultUrl(env);
  if (!(await isReady(url, signal)) || (await readAdminKey(home)) === undefined) return undefined;
  const isOurs = await (await adminClient(url, home, env)).projects
    .list({ signal, limit: 1 })
    .page()
    .then(
      () => true,
      () => false,
    );
  return isOurs ? url : undefined;
}

async function adminClient(url: string, home: string, env: Env): Promise<Gristmill> {
  const key = env["GRISTMILL_ADMIN_KEY"] || (await readAdminKey(home));
  if (key === undefined)
    throw new Error(`${home}/admin-key: expected the admin key that the platform makes, found none`);
  return new Gristmill({ baseUrl: url, apiKey: key });
}

/** The wanted port, or any free one when another program has it. */
async function choosePort(env: Env): Promise<number> {
  const wanted = Number(env["GRISTMILL_PORT"] || 7070);
  return (await listenOnce(wanted)) ?? (await listenOnce(0)) ?? wanted;
}

async function listenOnce(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : undefined);
      });
    });
  } catch {
    // Taken, or not allowed: the caller tries another.
    return undefined;
  } finally {
    server.close();
  }
}
