/** @file Servers that refuse, break, or mean harm, over real sockets. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ContextLengthError,
  EngineClosedError,
  EngineRequestError,
  EngineRunError,
  QueueFullError,
} from "../errors.ts";
import {
  delta,
  finish,
  json,
  type Recorded,
  type ReplayServer,
  startReplayServer,
  stream,
} from "./testing/replay-server.ts";
import { all, calm, chatPath, connect, finished, hello, textOf } from "./testing/world.ts";

let server: ReplayServer;
beforeAll(async () => {
  server = await startReplayServer();
});
afterAll(() => server.close());

const good = stream(delta({ content: "good" }), finish("stop"));
const said = (error: unknown, status = 400) => json({ error }, status);
const key = { type: "bearer", token: "sk-very-secret" } as const;

/** The error of one chat, and how many calls were made. */
async function failed(answers: readonly Recorded[], more: Parameters<typeof connect>[1] = {}) {
  server.on(chatPath, ...answers);
  const engine = await connect(server, more);
  const before = server.asked.length;
  const error = await all(engine.chat({ ...hello, maxTokens: 100 }, calm)).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  expect(engine.load()).toMatchObject({ busySlots: 0, waiting: 0 });
  return { error, calls: server.asked.length - before, engine };
}

describe("what a server refuses", () => {
  it("400 names our field, and is not tried again", async () => {
    const { error, calls } = await failed([said({ message: "must be <= 2", param: "top_p" })]);
    expect(error).toBeInstanceOf(EngineRequestError);
    expect(error?.message).toBe("sampling.topP: its server refuses it with status 400: must be <= 2");
    expect(calls).toBe(1);
  });

  it.each([
    [
      "OpenAI",
      {
        code: "context_length_exceeded",
        message:
          "This model's maximum context length is 8192 tokens. However, you requested 10000 tokens (9000 in the messages, 1000 in the completion).",
      },
      [9000, 8192],
    ],
    [
      "OpenAI, shorter",
      {
        code: "context_length_exceeded",
        message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
      },
      [9001, 8192],
    ],
    [
      "vLLM",
      {
        message:
          "'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens and your request has 50 input tokens",
      },
      [50, 4096],
    ],
    [
      "SGLang",
      { message: "The input (9002 tokens) is longer than the model's context length (4096 tokens)." },
      [9002, 4096],
    ],
    [
      "llama-server",
      {
        type: "exceed_context_size_error",
        message: "request (9003 tokens) exceeds the available context size",
        n_prompt_tokens: 9003,
        n_ctx: 2048,
      },
      [9003, 2048],
    ],
  ])("%s: a prompt that is too long, with its counts", async (_name, told, [promptTokens, contextLength]) => {
    const { error } = await failed([said(told)]);
    expect(error).toBeInstanceOf(ContextLengthError);
    expect(error).toMatchObject({ promptTokens, contextLength, maxTokens: 100 });
  });

  it("a prompt that is too long by counts that nobody tells, in the server's words", async () => {
    const { error } = await failed([said({ code: "context_length_exceeded", message: "Too long." })]);
    expect(error).toBeInstanceOf(ContextLengthError);
    expect(error?.message).toBe("prompt: it does not fit into the model's context: Too long.");
  });

  it.each([401, 403, 404])("%i is told without its words, which may hold the key", async (status) => {
    const { error, calls } = await failed([said({ message: `Incorrect API key: ${key.token}` }, status)], {
      credentials: key,
    });
    expect(error).toBeInstanceOf(EngineRunError);
    expect(error?.message).toContain(`status ${status}`);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(key.token);
    expect(calls).toBe(1);
  });

  it("keys are cut out of what a server says", async () => {
    const { error } = await failed([said(`no ${key.token} and Bearer ${key.token}`)], { credentials: key });
    expect(error?.message).toContain("no [secret] and [secret]");
  });

  it("a key that is no header is refused before a call, without being shown", async () => {
    const token = "bad\nkey";
    await expect(connect(server, { credentials: { type: "bearer", token } })).rejects.toThrow(
      'header "authorization": expected printable ASCII without line ends',
    );
  });

  it("FastAPI's 422 is told in its words", async () => {
    const { error } = await failed([json({ detail: [{ loc: ["body", "n"], msg: "no" }] }, 422)]);
    expect(error).toBeInstanceOf(EngineRequestError);
    expect(error?.message).toContain('"msg":"no"');
  });
});

describe("what is tried again", () => {
  it("429 and 5xx, until it goes well; waits are the server's", async () => {
    const busy = said({ message: "slow down" }, 429);
    const { error, calls } = await failed([
      { ...busy, headers: { "retry-after-ms": "30" } },
      said("broken", 503),
      good,
    ]);
    expect(error).toBeUndefined();
    expect(calls).toBe(3);
  });

  it("429 at the end is a full queue, at once when the wait would be too long", async () => {
    const busy = said({ message: "slow down" }, 429);
    expect(await failed([busy])).toMatchObject({ calls: 3, error: expect.any(QueueFullError) });
    const patient = { ...busy, headers: { "retry-after": "3600" } };
    expect(await failed([patient])).toMatchObject({ calls: 1, error: expect.any(QueueFullError) });
  });

  it("an account without credit is not", async () => {
    const { error, calls } = await failed([said({ code: "insufficient_quota", message: "pay" }, 429)]);
    expect(error).toBeInstanceOf(EngineRunError);
    expect(calls).toBe(1);
  });

  it("a connection that breaks before the first piece is; after it, never", async () => {
    const early: Recorded = { body: [": hi\n\n", "cut"] };
    expect(await failed([early, good])).toMatchObject({ calls: 2, error: undefined });
    const late: Recorded = { body: [`data: ${JSON.stringify(delta({ content: "a" }))}\n\n`, "cut"] };
    const { error, calls } = await failed([late, good]);
    expect(error).toBeInstanceOf(EngineRunError);
    expect(error?.message).toBe('model "test": the connection to its server broke');
    expect(calls).toBe(1);
  });

  it("a failure told inside the stream is, before the first piece: as data, as an event, as llama.cpp's field", async () => {
    for (const body of [
      'data: {"error":{"message":"x","code":500}}\n\n',
      'event: error\ndata: {"message":"x"}\n\n',
      'error: {"code":503}\n\n',
    ])
      expect(await failed([{ body: [body] }, good])).toMatchObject({ calls: 2, error: undefined });
    const { error } = await failed([{ body: ['data: {"error":{"message":"bad","code":400,"param":"stop"}}\n\n'] }]);
    expect(error?.message).toBe("stop: its server refuses it with status 400: bad");
  });
});

describe("hostile servers", () => {
  const page: Recorded = { headers: { "content-type": "text/html; charset=utf-8" }, body: ["<html>login</html>"] };
  it.each<[string, Recorded, string, number]>([
    ["a page of HTML", page, "received a page of HTML", 1],
    ["wrong JSON in the stream", { body: ["data: {oops\n\n"] }, "objects of JSON in its stream", 1],
    ["a list in the stream", { body: ["data: [1]\n\n"] }, "objects of JSON in its stream", 1],
    ["wrong JSON", { headers: { "content-type": "application/json" }, body: ["{oops"] }, "an object of JSON", 1],
    ["an endless line", { body: ["data: ", "x".repeat(3000), "hang"] }, "an event of at most 2000 bytes", 1],
    [
      "an endless answer",
      { body: [...Array(60).fill(`: ${"x".repeat(200)}\n`), "hang"] },
      "an answer of at most 10000 bytes",
      1,
    ],
    ["a stream without an end", stream(), "one that breaks off", 3],
    ["an answer that was aborted", stream(finish("abort")), 'ended by "abort"', 3],
    [
      "arguments of no call",
      stream(delta({ tool_calls: [{ index: 3, function: { arguments: "{" } }] })),
      "with its name first",
      1,
    ],
    ["silence", { body: ["hang"] }, "sent no piece of an answer within", 1],
    [
      "signs of life without an answer",
      {
        body: [
          ...Array(60)
            .fill([": ping\n\n", { waitMs: 5 }])
            .flat(),
          "hang",
        ] as Recorded["body"],
      },
      "sent no piece of an answer within",
      1,
    ],
  ])("%s", async (_name, answer, message, calls) => {
    const limits = { maxEventBytes: 2000, maxAnswerBytes: 10_000 };
    const retry = { retries: message.includes("within") ? 0 : 2 } as const;
    const found = await failed([answer], {
      ...limits,
      timeouts: { firstTokenMs: 150 },
      retry: { firstDelayMs: 1, maxDelayMs: 5, ...retry },
    });
    expect(found.error).toBeInstanceOf(EngineRunError);
    expect(found.error?.message).toContain(message);
    expect(found.calls).toBe(calls);
  });

  it("a redirect is not followed: it would take the key and the prompt elsewhere", async () => {
    const other = await startReplayServer();
    const { error, calls } = await failed(
      [{ status: 307, headers: { location: `${other.url}/chat/completions` }, body: [] }],
      { credentials: key },
    );
    expect(error?.message).toContain("sends callers elsewhere");
    expect([calls, other.asked.length]).toEqual([1, 0]);
    await other.close();
  });

  it("a drip that stops midway ends by the limit between tokens, which a slow reader does not use up", async () => {
    const chunk = (text: string) => `data: ${JSON.stringify(delta({ content: text }))}\n\n`;
    server.on(chatPath, { body: [chunk("a"), chunk("b"), ": ping\n\n", { waitMs: 40 }, ": ping\n\n", "hang"] });
    const engine = await connect(server, { timeouts: { betweenTokensMs: 60 } });
    const texts: string[] = [];
    const read = async () => {
      for await (const event of engine.chat(hello, calm)) {
        if (event.type === "text") texts.push(event.text);
        await new Promise((resolve) => setTimeout(resolve, 80));
      }
    };
    await expect(read()).rejects.toThrow("no further piece of an answer within 60 ms");
    expect(texts).toEqual(["a", "b"]);
  });

  it("an answer that has ended is whole, though its usage never comes", async () => {
    for (const end of ["hang", "cut"] as const) {
      const chunks = [delta({ content: "a" }), finish("stop")].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
      server.on(chatPath, { body: [...chunks, end] });
      const events = await all((await connect(server, { timeouts: { betweenTokensMs: 50 } })).chat(hello, calm));
      expect(finished(events).usage).toMatchObject({ completionTokens: 1, isEstimated: true });
    }
  });
});

describe("ends", () => {
  const endless: Recorded = { body: [`data: ${JSON.stringify(delta({ content: "a" }))}\n\n`, "hang"] };

  it("an aborted call ends with its reason, and the server hears it", async () => {
    server.on(chatPath, endless);
    const engine = await connect(server);
    const abort = new AbortController();
    const left = server.left();
    const events = engine.chat(hello, { signal: abort.signal })[Symbol.asyncIterator]();
    await events.next();
    await events.next();
    const next = events.next();
    abort.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
    await expect.poll(() => server.left()).toBe(left + 1);
    expect(engine.load().busySlots).toBe(0);
  });

  it("who stops reading ends the call", async () => {
    server.on(chatPath, endless);
    const engine = await connect(server);
    const left = server.left();
    for await (const event of engine.chat(hello, calm)) if (event.type === "text") break;
    await expect.poll(() => server.left()).toBe(left + 1);
    expect(engine.load().busySlots).toBe(0);
  });

  it("closing ends what is under way, what waits, and what comes", async () => {
    server.on(chatPath, endless);
    const engine = await connect(server, { slots: 1 });
    const before = server.asked.length;
    const calls = [all(engine.chat(hello, calm)), all(engine.chat(hello, calm))];
    const ends = Promise.allSettled(calls);
    await expect.poll(() => engine.load()).toEqual({ slots: 1, busySlots: 1, waiting: 1 });
    await expect.poll(() => server.asked.length).toBe(before + 1);
    await engine.close();
    await engine.close();
    for (const end of await ends) expect(end).toMatchObject({ reason: expect.any(EngineClosedError) });
    await expect(all(engine.chat(hello, calm))).rejects.toThrow(EngineClosedError);
  });

  it("a server that fails again and again is left alone, then tried once", async () => {
    let nowMs = 0;
    const more = {
      breaker: { failures: 2, openMs: 100 },
      retry: { retries: 0, firstDelayMs: 1, maxDelayMs: 1 },
      nowMs: () => nowMs,
    };
    server.on(chatPath, said("broken", 500), said("broken", 500), good);
    const engine = await connect(server, more);
    const ask = () => all(engine.chat(hello, calm));
    await expect(ask()).rejects.toThrow("failed with status 500: broken");
    expect(engine.isAvailable()).toBe(true);
    await expect(ask()).rejects.toThrow("failed with status 500");
    expect(engine.isAvailable()).toBe(false);
    const before = server.asked.length;
    await expect(ask()).rejects.toThrow("failed again and again; no calls are made for 1 s more");
    expect(server.asked.length).toBe(before);
    nowMs = 100;
    expect(textOf(await ask())).toBe("good");
    expect(engine.isAvailable()).toBe(true);
  });
});
