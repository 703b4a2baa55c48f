import type { Deployment, UsageEvent } from "@gristmill/contract";
import OpenAI from "openai";
import { afterAll, expect, it } from "vitest";
import { plainTemplate, smallLanguageModel } from "../../packages/server/src/models/testing/small-language-model.ts";
import { Home, Platform } from "./platform.ts";

const home = new Home();
let platform: Platform | undefined;
afterAll(async () => {
  await platform?.stop();
  home.remove();
});

it("kill -9 in the middle of background responses: each has ended, those that failed cost nothing", {
  timeout: 120_000,
}, async () => {
  platform = await Platform.start(home);
  const model = await smallLanguageModel({ chatTemplate: plainTemplate });
  await platform.expect(201, "POST", "/api/models/small/versions", model);
  const generation = { context_length: 4096, slots: 1, max_queue: 20 };
  await platform.expect(202, "POST", "/api/deployments", { name: "slow", model: "small", threads: 1, generation });
  await platform.until<Deployment>("/api/deployments/slow", ({ status }) => status === "ready");
  const clientOf = ({ url, adminKey }: Platform) =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: adminKey, maxRetries: 0 });
  const { responses } = clientOf(platform);
  // One after the other, so that the last is queued or under way when the server dies.
  const ids: string[] = [];
  for (let i = 0; i < 12; i++)
    ids.push((await responses.create({ model: "slow", input: `story ${i}`, background: true, temperature: 1 })).id);
  await platform.kill();
  platform = await Platform.start(home);
  const after = clientOf(platform).responses;
  const states = await Promise.all(ids.map(async (id) => (await after.retrieve(id)).status));
  expect(states.filter((status) => !["completed", "incomplete", "failed"].includes(status ?? ""))).toEqual([]);
  const done = states.filter((status) => status !== "failed").length;
  expect(done).toBeLessThan(ids.length);
  const events = await platform.expect<{ data: UsageEvent[] }>(
    200,
    "GET",
    "/api/usage/events?meter=service.requests&limit=100",
  );
  // Settled before it is stored: a kill between the two is paid, and told as failed.
  expect(events.data.length).toBeGreaterThanOrEqual(done);
  expect(events.data.length).toBeLessThanOrEqual(done + 1);
  expect((await after.cancel(ids.at(-1) ?? "")).status).toBe(states.at(-1));
});
