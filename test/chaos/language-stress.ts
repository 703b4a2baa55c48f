/**
 * @file A language model under callers that go away at any moment, while its process is killed. At the end each request must
 * be on the ledger with what it used and no more, and nothing of it may be left: no slot, no claim, no memory.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Deployment, UsageEvent } from "@gristmill/contract";
import { connectionOf } from "../../packages/server/src/db/embedded/launch.ts";
import { databaseFolder } from "../../packages/server/src/db/embedded/location.ts";
import { makePlaces, serverUser } from "../../packages/server/src/db/embedded/places.ts";
import { withSession } from "../../packages/server/src/db/index.ts";
import { plainTemplate, smallLanguageModel } from "../../packages/server/src/models/testing/small-language-model.ts";
import { Home, Platform } from "../e2e/platform.ts";
import { processesOf } from "../e2e/processes.ts";
import { ask, type Outcome, type Used } from "./chat-caller.ts";
import { type Random, seeded } from "./random.ts";

/** How much, and how rough. */
export interface LanguageStressOptions {
  readonly requests: number;
  /** How often the model's process is killed. */
  readonly kills: number;
  readonly seed: number;
}

/** What was found. */
export interface LanguageStressReport {
  readonly outcomes: Readonly<Record<Outcome["kind"], number>>;
  readonly faults: readonly string[];
  readonly kills: number;
}

const name = "stressed";
const [slots, maxQueue, callers] = [4, 12, 12];
/** How long a caller waits who was told "not now". */
const pauseMs = 200;
/** Bytes that a process may have gained since it was warm: freed pages that were not handed back are no leak. */
const growth = 128 * 1024 * 1024;

/** Runs it on a home of its own, and removes that. */
export async function languageStress(options: LanguageStressOptions): Promise<LanguageStressReport> {
  const home = new Home();
  const platform = await Platform.start(home);
  try {
    await deploy(platform);
    const random = seeded(options.seed);
    const warm = await asked(platform, Math.ceil(options.requests / 3), 0, random);
    const before = await memoryOf(platform);
    const rough = await asked(platform, options.requests - warm.outcomes.length, options.kills, random);
    const outcomes = [...warm.outcomes, ...rough.outcomes];
    const faults = [
      ...outcomes.flatMap(({ fault }) => fault ?? []),
      ...(await idleFaults(platform, home)),
      ...ledgerFaults(outcomes, await usedByRequest(platform)),
      ...(await roomFaults(platform)),
      ...growthFaults(before, await memoryOf(platform)),
    ];
    const count = (kind: Outcome["kind"]): number => outcomes.filter((outcome) => outcome.kind === kind).length;
    const kinds = { answered: count("answered"), refused: count("refused"), cut: count("cut"), left: count("left") };
    return { outcomes: kinds, faults, kills: rough.kills };
  } finally {
    await platform.stop();
    home.remove();
  }
}

async function deploy(platform: Platform): Promise<void> {
  const model = await smallLanguageModel({ chatTemplate: plainTemplate });
  await platform.expect(201, "POST", "/api/models/small/versions", model);
  const generation = { context_length: 512, slots, max_queue: maxQueue };
  await platform.expect(202, "POST", "/api/deployments", { name, model: "small", threads: 1, generation });
  await ready(platform);
}

const ready = (platform: Platform): Promise<Deployment> =>
  platform.until<Deployment>(`/api/deployments/${name}`, ({ status }) => status === "ready");

/** So many requests by several callers; the model's process is killed at even distances. */
async function asked(
  platform: Platform,
  requests: number,
  kills: number,
  random: Random,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly kills: number }> {
  const { url, adminKey } = platform;
  const outcomes: Outcome[] = [];
  let [begun, killed] = [0, 0];
  let killing: Promise<void> = Promise.resolve();
  const caller = async (own: Random): Promise<void> => {
    while (begun < requests) {
      begun++;
      const isDue = killed < kills && begun > ((killed + 1) * requests) / (kills + 1);
      if (isDue) {
        killed++;
        killing = killing.then(() => kill(platform));
      }
      const outcome = await ask(url, adminKey, name, own);
      outcomes.push(outcome);
      if (outcome.kind === "refused") await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, () => caller(seeded(random.below(2 ** 31)))));
  await killing;
  return { outcomes, kills: killed };
}

async function kill(platform: Platform): Promise<void> {
  for (;;) {
    await ready(platform);
    const [replica] = processesOf("serving/replica/main.ts", platform.process.pid);
    if (replica !== undefined) return void process.kill(replica, "SIGKILL");
    await sleep(50); // just killed, and still called ready
  }
}

/** What is left of requests when all have ended. */
async function idleFaults(platform: Platform, home: Home): Promise<readonly string[]> {
  await platform.until<Deployment>(
    `/api/deployments/${name}`,
    ({ status, replicas }) => status === "ready" && replicas[0]?.queue_depth === 0,
  );
  const user = await serverUser();
  const places = await makePlaces(await databaseFolder(home.path, user), user);
  return await withSession(connectionOf(places), async (session) => {
    const claims = "select request_id from reservation where request_id like 'req!_%' escape '!'";
    for (let tries = 0; ; tries++) {
      const { rows } = await session.query<{ request_id: string }>(claims);
      if (rows.length === 0) return [];
      if (tries === 100) return rows.map(({ request_id }) => `${request_id} still claims something`);
      await sleep(100);
    }
  });
}

/** As many as may run and wait are answered at once, and alike: no slot is lost, and none remembers what it should not. */
async function roomFaults({ url, adminKey }: Platform): Promise<readonly string[]> {
  const body = {
    model: name,
    messages: [{ role: "user", content: "is there room" }],
    max_tokens: 8,
    temperature: 0,
    logit_bias: { 2: -100 },
  };
  const answers = await Promise.all(
    Array.from({ length: slots + maxQueue }, async () => {
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const { choices } = (await answer.json()) as { choices?: { message: { content: string } }[] };
      return `${answer.status} ${choices?.[0]?.message.content}`;
    }),
  );
  const different = new Set(answers);
  return different.size === 1 && answers[0]?.startsWith("200 ") ? [] : [`answers at the end: ${[...different]}`];
}

/** Everything on the ledger, by request and meter. A meter that stands twice is told by its number of events. */
async function usedByRequest(platform: Platform): Promise<ReadonlyMap<string, Used>> {
  const used = new Map<string, Record<string, number>>();
  for (let after = ""; ; ) {
    const page = await platform.expect<{ data: UsageEvent[]; has_more: boolean; last_id: string }>(
      200,
      "GET",
      `/api/usage/events?limit=100${after}`,
    );
    for (const { request_id, meter, quantity } of page.data) {
      if (request_id === null || !meter.startsWith("service.")) continue;
      const own = used.get(request_id) ?? {};
      const short = meter.replace("service.", "");
      own[own[short] === undefined ? short : `${short} again`] = Number(quantity);
      used.set(request_id, own);
    }
    if (!page.has_more) return used;
    after = `&after=${encodeURIComponent(page.last_id)}`;
  }
}

function ledgerFaults(outcomes: readonly Outcome[], ledger: ReadonlyMap<string, Used>): readonly string[] {
  const left = new Map(ledger);
  const faults: string[] = [];
  for (const outcome of outcomes) {
    const { kind, requestId, used, pieces, most } = outcome;
    if (requestId === undefined) continue;
    const paid = ledger.get(requestId) ?? {};
    left.delete(requestId);
    const tell = (expected: string): number => faults.push(`${expected}: ${JSON.stringify({ ...outcome, paid })}`);
    if (kind === "answered" && !isDeepStrictEqual({ ...paid }, { ...used })) tell("paid other than was told");
    if (kind === "refused" && Object.keys(paid).length > 0) tell("paid for an error");
    if (kind !== "left" && kind !== "cut") continue;
    if ((paid["output_tokens"] ?? 0) > most) tell("paid for more than was asked for");
    if ((paid["output_tokens"] ?? 0) < pieces) tell("paid for less than was sent");
    if (pieces > 0 && paid["requests"] !== 1) tell("sent, and not paid");
  }
  // Who left before its id was told: known by number only.
  const unknown = outcomes.filter(({ requestId }) => requestId === undefined).length;
  if (left.size > unknown) faults.push(`${left.size} requests on the ledger, of ${unknown} that left early`);
  const mostOfAny = Math.max(...outcomes.map(({ most }) => most));
  for (const [id, paid] of ledger)
    if (Object.keys(paid).some((meter) => meter.endsWith("again")) || (paid["output_tokens"] ?? 0) > mostOfAny)
      faults.push(`${id} paid ${JSON.stringify(paid)}`);
  return faults;
}

/** Bytes of the platform's own process and of the model's. */
async function memoryOf(platform: Platform): Promise<Readonly<Record<string, number>>> {
  const { replicas } = await ready(platform);
  return { main: residentBytes(platform.process.pid), replica: residentBytes(replicas[0]?.pid) };
}

const residentBytes = (pid: number | null | undefined): number =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

const growthFaults = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): string[] =>
  Object.entries(after).flatMap(([who, bytes]) =>
    bytes - (before[who] ?? 0) > growth ? [`${who} grew from ${before[who]} to ${bytes} bytes`] : [],
  );
