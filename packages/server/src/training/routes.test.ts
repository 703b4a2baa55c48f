import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Http } from "../http/index.ts";
import { testHttp } from "../testing/test-http.ts";
import type { Site } from "./testing/site.ts";
import { smallSpec, World } from "./testing/world.ts";

let world: World;
let site: Site;
let http: Http;
let url: string;
let finished: string;

beforeAll(async () => {
  world = await World.create();
  site = await world.site();
  await site.start();
  http = await testHttp(site.training.routes, {
    mine: { projectId: world.project },
    reader: { projectId: world.project, scopes: ["runs:read"] },
    other: { projectId: world.other },
  });
  url = `http://127.0.0.1:${await http.listen("127.0.0.1", 0)}`;
  const { id } = await world.create(site, { fit: { epochs: 3 } });
  await world.ended(site, id);
  finished = id;
});

afterAll(async () => {
  await http.stop(1000);
  await world.close();
});

const call = (
  method: "GET" | "POST",
  path: string,
  body?: unknown,
  key = "mine",
  headers: Record<string, string> = {},
) =>
  fetch(`${url}${path}`, {
    method,
    headers: {
      ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

/** Events of a stream's text, and its comments. */
function parseEvents(text: string): { id: number; type: string; data: { id: number; type: string } }[] {
  return text
    .split("\n\n")
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)));
      return { id: Number(fields["id"]), type: String(fields["event"]), data: JSON.parse(String(fields["data"])) };
    });
}

it("[RUN2] queues a run with 202 and shows it", async () => {
  const answer = await call("POST", "/api/runs", { dataset: "digits", spec: smallSpec, name: "by-http" });
  expect(answer.status).toBe(202);
  const made = (await answer.json()) as { id: string };
  expect(made).toMatchObject({ object: "run", name: "by-http", status: "queued", attempts: 0 });
  expect(await (await call("GET", `/api/runs/${made.id}`)).json()).toMatchObject({ id: made.id });
  const list = (await (await call("GET", "/api/runs?limit=1")).json()) as { data: { id: string }[] };
  expect(list.data.map(({ id }) => id)).toEqual([made.id]);
  await world.ended(site, made.id);
});

it("[RUN2] refuses a bad spec with 422 that lists layer, expected and received, and queues nothing", async () => {
  const before = await (await call("GET", "/api/runs")).json();
  const spec = { inputShape: [28, 28, 1], layers: [{ type: "flatten" }, { type: "maxPooling2d" }] };
  const answer = await call("POST", "/api/runs", { dataset: "digits", spec });
  expect(answer.status).toBe(422);
  expect(await answer.json()).toMatchObject({
    error: {
      code: "spec.invalid",
      message: expect.stringMatching(/spec\.layers\[1\] \(maxPooling2d_1\): expected .* received \[784\]/),
      details: { problems: [{ where: "spec.layers[1] (maxPooling2d_1)" }] },
    },
  });
  expect((await call("POST", "/api/runs", { dataset: "nothing", spec: smallSpec })).status).toBe(404);
  expect((await call("POST", "/api/runs", { dataset: "digits", spec: smallSpec, extra: 1 })).status).toBe(400);
  expect(await (await call("GET", "/api/runs")).json()).toEqual(before);
});

it("[RUN15] every route refuses no key, a weak key and another project's key, with 401, 403 and 404", async () => {
  const routes = [
    ["GET", `/api/runs/${finished}`],
    ["GET", `/api/runs/${finished}/events`],
    ["POST", `/api/runs/${finished}/cancel`],
  ] as const;
  for (const [method, path] of routes) {
    expect((await call(method, path, undefined, "")).status, path).toBe(401);
    const foreign = await call(method, path, undefined, "other");
    expect(foreign.status, path).toBe(404);
    expect(await foreign.json()).toMatchObject({ error: { code: "run.not_found" } });
  }
  expect((await call("POST", `/api/runs/${finished}/cancel`, undefined, "reader")).status).toBe(403);
  expect(await (await call("GET", "/api/runs", undefined, "other")).json()).toMatchObject({ data: [] });
  expect((await call("GET", "/api/runs/run_../../etc")).status).toBe(404);
});

it("[RUN10] answers 409 to cancelling a run that has ended", async () => {
  const answer = await call("POST", `/api/runs/${finished}/cancel`);
  expect([answer.status, await answer.json()]).toMatchObject([409, { error: { code: "run.finished" } }]);
});

describe("events", () => {
  it("[RUN11] come as numbered server-sent events, and end after the last", async () => {
    const answer = await call("GET", `/api/runs/${finished}/events`);
    expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const events = parseEvents(await answer.text());
    expect(events.map(({ id }) => id)).toEqual(events.map((_, i) => i + 1));
    expect(events[0]).toMatchObject({ type: "run.queued", data: { id: 1, type: "run.queued", data: {} } });
    expect(events.at(-1)?.type).toBe("run.succeeded");
    expect(events.filter(({ type }) => type === "run.epoch_finished")).toHaveLength(3);
    expect(events.filter(({ type }) => type === "run.progress").length).toBeGreaterThanOrEqual(3);
  });

  it("[RUN11] resume after Last-Event-ID, with nothing missing and nothing twice", async () => {
    const all = parseEvents(await (await call("GET", `/api/runs/${finished}/events`)).text());
    for (const last of [0, 1, 4, all.length - 1, all.length]) {
      const path = `/api/runs/${finished}/events`;
      const rest = await call("GET", path, undefined, "mine", { "last-event-id": String(last) });
      expect(parseEvents(await rest.text())).toEqual(all.slice(last));
    }
    const wrong = await call("GET", `/api/runs/${finished}/events`, undefined, "mine", { "last-event-id": "x" });
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { error: { code: "request.invalid" } }]);
  });

  it("[RUN11] are told while the run works; a client that went away gets the rest later", async () => {
    const { id } = await world.create(site, { fit: { epochs: 10_000 } });
    const gone = new AbortController();
    const answer = await fetch(`${url}/api/runs/${id}/events`, {
      headers: { authorization: "Bearer mine" },
      signal: gone.signal,
    });
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes("run.epoch_finished")) break;
    }
    gone.abort();
    const last = parseEvents(text.slice(0, text.lastIndexOf("\n\n"))).at(-1)?.id ?? 0;
    expect((await site.runs.get(world.project, id)).status).toBe("running");
    await site.runs.cancel(world.project, id);
    const headers = { "last-event-id": String(last) };
    const rest = parseEvents(await (await call("GET", `/api/runs/${id}/events`, undefined, "mine", headers)).text());
    expect(rest.at(-1)?.type).toBe("run.cancelled");
    expect(rest[0]?.id).toBeGreaterThan(last);
  });
});
