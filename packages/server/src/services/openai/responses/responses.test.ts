/** @file Responses by OpenAI's own client, unmodified, on a real database. */
import type { ProjectId } from "@gristmill/contract";
import { sql } from "kysely";
import { zodTextFormat } from "openai/helpers/zod";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { insertTestProject, type TestDatabase, testDatabase } from "../../../testing/database.ts";
import { type EchoModels, echoModels } from "../testing/echo-models.ts";
import { type ResponsesServer, responsesServer } from "../testing/responses-server.ts";

let database: TestDatabase;
let project: ProjectId;
let servers: ResponsesServer[] = [];
let projects = 0;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  project = await insertTestProject(database.db, `project ${++projects}`);
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  servers = [];
});

async function serve(
  options: { delayMs?: number; dieAfter?: number; project?: ProjectId; allowed?: readonly string[] } = {},
): Promise<ResponsesServer & { readonly models: EchoModels }> {
  const models = echoModels(options);
  const { allowed } = options;
  const parts = { db: database.db, project: options.project ?? project, models };
  const server = await responsesServer({ ...parts, ...(allowed === undefined ? {} : { allowed }) });
  servers.push(server);
  return { ...server, models };
}

const tools = [{ type: "function" as const, name: "weather", parameters: { type: "object" }, strict: false }];

describe("a response", () => {
  test("is answered whole, stored, listed and deleted; what was used is on the ledger", async () => {
    const { client, used } = await serve();
    const made = await client.responses.create({ model: "echo", input: "hm one two", metadata: { a: "b" } });
    expect(made).toMatchObject({
      object: "response",
      status: "completed",
      model: "echo",
      output_text: " one two",
      metadata: { a: "b" },
      output: [
        { type: "reasoning", content: [{ type: "reasoning_text", text: "hm" }] },
        { type: "message", role: "assistant", status: "completed", content: [{ text: " one two", annotations: [] }] },
      ],
      usage: {
        input_tokens: 3,
        input_tokens_details: { cached_tokens: 1 },
        output_tokens: 3,
        output_tokens_details: { reasoning_tokens: 1 },
        total_tokens: 6,
      },
    });
    expect(made.id).toMatch(/^resp_[0-9a-z]{26}$/);
    expect(await used()).toEqual({
      requests: 1,
      input_tokens: 2,
      cached_input_tokens: 1,
      output_tokens: 2,
      reasoning_tokens: 1,
    });
    expect(await client.responses.retrieve(made.id)).toEqual(made);
    const { data } = await client.responses.inputItems.list(made.id);
    expect(data).toMatchObject([
      { type: "message", role: "user", content: [{ type: "input_text", text: "hm one two" }] },
    ]);
    await client.responses.delete(made.id);
    await expect(client.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404, code: "response.not_found" });
  });

  test("is streamed by named and numbered events, and stored as it was told", async () => {
    const { client, url } = await serve();
    const stream = client.responses.stream({ model: "echo", input: "hm one two", temperature: 0 });
    const told: { type: string; sequence_number: number }[] = [];
    for await (const event of stream) told.push(event);
    expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, index) => index));
    expect(told.map(({ type }) => type.replace("response.", ""))).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "content_part.added",
      "reasoning_text.delta",
      "reasoning_text.done",
      "content_part.done",
      "output_item.done",
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "completed",
    ]);
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(" one two");
    expect(final).toMatchObject({ output: (await client.responses.retrieve(final.id)).output });
    const raw = await fetch(`${url}/responses`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "echo", input: "one", stream: true, store: false }),
    });
    const text = await raw.text();
    expect(text.startsWith('event: response.created\ndata: {"type":"response.created","sequence_number":0,')).toBe(
      true,
    );
    expect(text.trimEnd().split("\n").at(-2)).toBe("event: response.completed");
  });

  test("that is not stored can't be found", async () => {
    const { client } = await serve();
    const { id } = await client.responses.create({ model: "echo", input: "one", store: false });
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
    const next = client.responses.create({ model: "echo", input: "two", previous_response_id: id });
    await expect(next).rejects.toMatchObject({ status: 404, param: "previous_response_id" });
  });

  test("that is cut off is incomplete; one whose model dies has failed", async () => {
    const { client } = await serve();
    const cut = await client.responses.create({ model: "echo", input: "a b c", max_output_tokens: 1 });
    expect(cut).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    const dying = await serve({ dieAfter: 2 });
    const events: { type: string; response?: { id: string; error?: unknown } }[] = [];
    for await (const event of await dying.client.responses.create({ model: "echo", input: "a b c", stream: true }))
      events.push(event as (typeof events)[0]);
    const last = events.at(-1);
    expect(last).toMatchObject({ type: "response.failed", response: { error: { code: "server_error" } } });
    expect(await dying.client.responses.retrieve(last?.response?.id ?? "")).toMatchObject({ status: "failed" });
  });

  test("is parsed by a schema of zod", async () => {
    const { client } = await serve();
    const format = zodTextFormat(z.object({ city: z.string() }), "place");
    const parsed = await client.responses.parse({ model: "echo", input: '{"city":"Rome"}', text: { format } });
    expect(parsed.output_parsed).toEqual({ city: "Rome" });
  });

  test("tells probabilities where they are asked for", async () => {
    const { client } = await serve();
    const include = ["message.output_text.logprobs" as const];
    const { output } = await client.responses.create({ model: "echo", input: "a b", include, top_logprobs: 1 });
    expect(output).toMatchObject([{ content: [{ logprobs: [{ token: "a", top_logprobs: [{}] }, { token: " b" }] }] }]);
  });
});

describe("a conversation", () => {
  test("[SVC12] goes on from a stored response, and through calls of functions", async () => {
    const { client } = await serve();
    const first = await client.responses.create({
      model: "echo",
      input: "weather in Rome",
      tools,
      tool_choice: { type: "function", name: "weather" },
    });
    const [call] = first.output;
    if (call?.type !== "function_call") throw new Error("no call");
    expect(call).toMatchObject({ call_id: "call_a", name: "weather", arguments: '{"city":"Rome"}' });
    const output = { type: "function_call_output" as const, call_id: call.call_id, output: "it is sunny" };
    const second = await client.responses.create({ model: "echo", previous_response_id: first.id, input: [output] });
    expect(second).toMatchObject({ output_text: "it is sunny", previous_response_id: first.id });
    // The same without anything stored: its items are sent back as they came.
    const items = [{ role: "user" as const, content: "weather in Rome" }, call, output];
    expect((await client.responses.create({ model: "echo", input: items })).output_text).toBe("it is sunny");
    await client.responses.delete(first.id);
    const third = client.responses.create({ model: "echo", previous_response_id: second.id, input: "and now" });
    await expect(third).rejects.toMatchObject({ status: 404, param: "previous_response_id" });
  });

  test("[SVC12] is of its project and of models that its caller may use", async () => {
    const { client } = await serve();
    const { id } = await client.responses.create({ model: "echo", input: "one" });
    const other = await serve({ project: await insertTestProject(database.db, `other ${projects}`) });
    const limited = await serve({ allowed: ["another"] });
    for (const stranger of [other.client, limited.client]) {
      await expect(stranger.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
      await expect(stranger.responses.delete(id)).rejects.toMatchObject({ status: 404 });
      await expect(stranger.responses.inputItems.list(id)).rejects.toMatchObject({ status: 404 });
    }
    expect((await client.responses.retrieve(id)).status).toBe("completed");
    await sql`update response set created_at = now() - interval '31 days' where id = ${id}`.execute(database.db);
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });

  test("[SVC12] is removed after 30 days, and no other", async () => {
    const { client } = await serve();
    const { id } = await client.responses.create({ model: "echo", input: "old" });
    const { id: kept } = await client.responses.create({ model: "echo", input: "new" });
    await sql`update response set created_at = now() - interval '31 days' where id = ${id}`.execute(database.db);
    await serve();
    const rows = sql<{ id: string }>`select id from response where project_id = ${project}`;
    await expect.poll(async () => (await rows.execute(database.db)).rows, { timeout: 20_000 }).toEqual([{ id: kept }]);
  });

  test("is sealed where it lies", async () => {
    const { client } = await serve();
    const { id } = await client.responses.create({ model: "echo", input: "a plain word" });
    const { rows } = await sql<{ text: string }>`
      select encode(sealed, 'escape') as text from response where id = ${id}`.execute(database.db);
    expect(rows[0]?.text).not.toContain("plain word");
  });
});

describe("in the background", () => {
  const background = { model: "echo", background: true } as const;
  const ended = (server: ResponsesServer, id: string) =>
    expect.poll(async () => (await server.client.responses.retrieve(id)).status, { timeout: 20_000 });

  test("[SVC13] a response is queued, ends, and is charged once", async () => {
    const server = await serve();
    const queued = await server.client.responses.create({ ...background, input: "one two" });
    expect(queued).toMatchObject({ status: "queued", background: true, output: [] });
    await ended(server, queued.id).toBe("completed");
    const done = await server.client.responses.retrieve(queued.id);
    expect(done).toMatchObject({ output_text: "one two", usage: { total_tokens: 4 } });
    expect((await server.client.responses.cancel(queued.id)).status).toBe("completed");
    expect(await server.used()).toEqual({ requests: 1, input_tokens: 1, cached_input_tokens: 1, output_tokens: 2 });
    const { rows } = await sql`select from reservation where project_id = ${project}`.execute(database.db);
    expect(rows).toEqual([]);
  });

  test("a cancelled response ends at once, keeps what it has, and pays for that", async () => {
    const server = await serve({ delayMs: 60_000 });
    const { id } = await server.client.responses.create({ ...background, input: "a b" });
    await ended(server, id).toBe("in_progress");
    const early = server.client.responses.create({ model: "echo", input: "x", previous_response_id: id });
    await expect(early).rejects.toMatchObject({ status: 400, param: "previous_response_id" });
    expect(await server.client.responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
    expect(server.models.underWay()).toBe(0);
    expect((await server.used())["requests"]).toBe(1);
    const whole = await (await serve()).client.responses.create({ model: "echo", input: "a" });
    await expect(server.client.responses.cancel(whole.id)).rejects.toMatchObject({ code: "response.not_background" });
  });

  test("[SVC13] one that nobody writes any more is cancelled, and what it was stays", async () => {
    const server = await serve();
    const { client } = server;
    const { id } = await client.responses.create({ ...background, input: "a b" });
    await ended(server, id).toBe("completed");
    await sql`update response set status = 'in_progress' where id = ${id}`.execute(database.db);
    expect(await client.responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
    expect(await client.responses.retrieve(id)).toMatchObject({ status: "cancelled", output_text: "a b" });
    expect(await client.responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
  });

  test("[SVC13] a response that its server left behind has failed, killed or stopped", async () => {
    const first = await serve({ delayMs: 60_000 });
    const { id } = await first.client.responses.create({ ...background, input: "a b" });
    await ended(first, id).toBe("in_progress");
    // As after a kill: the next server starts while nobody has ended the response.
    const second = await serve();
    expect(await second.client.responses.retrieve(id)).toMatchObject({
      status: "failed",
      error: { code: "server_error" },
    });
    const { id: other } = await first.client.responses.create({ ...background, input: "a b" });
    await first.stop();
    servers = servers.filter(({ url }) => url !== first.url);
    expect(await second.client.responses.retrieve(other)).toMatchObject({
      status: "failed",
      error: { code: "server_error" },
    });
  });

  test("a response of a model that refuses it has failed with the reason", async () => {
    const server = await serve();
    const { id } = await server.client.responses.create({ ...background, input: "a ".repeat(100) });
    await ended(server, id).toBe("failed");
    expect((await server.client.responses.retrieve(id)).error).toMatchObject({ code: "invalid_prompt" });
    expect(await server.used()).toEqual({});
  });
});

describe("what is refused is refused by its name", () => {
  const image = { type: "input_image", image_url: "https://example.com/a.png" };
  test.each([
    [{ background: true, stream: true }, "stream"],
    [{ background: true, store: false }, "store"],
    [{ reasoning: { effort: "high" } }, "reasoning"],
    [{ conversation: "conv_1" }, "conversation"],
    [{ truncation: "auto" }, "truncation"],
    [{ tools: [{ type: "web_search" }] }, "tools.0"],
    [{ tool_choice: "required" }, "tool_choice"],
    [{ tools, tool_choice: { type: "function", name: "time" } }, "tool_choice.name"],
    [{ top_logprobs: 2 }, "top_logprobs"],
    [{ top_k: 13 }, "top_k"],
    [{ max_output_tokens: 1000 }, "input"],
    [{ input: [{ type: "item_reference", id: "msg_1" }] }, "input.0"],
    [{ input: [{ role: "user", content: [image] }] }, "input.0.content.0.image_url"],
    [{ input: [{ type: "function_call_output", call_id: "c", output: "x" }] }, "input.0.call_id"],
    [{ input: [{ type: "reasoning", summary: [] }] }, "input"],
  ])("%j", async (body, param) => {
    const { client, used } = await serve();
    const made = client.responses.create({ model: "echo", input: "one", ...body } as never);
    await expect(made).rejects.toMatchObject({ status: 400, param });
    expect(await used()).toEqual({});
  });
});
