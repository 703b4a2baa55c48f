import { once } from "node:events";
import { Readable } from "node:stream";
import { isDeepStrictEqual } from "node:util";
import { AppError, type ErrorCode, errorTable } from "@gristmill/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { KeyedRequest } from "../http/index.ts";
import { testCaller } from "../testing/caller.ts";
import { fromBytes, toBytes, wholeAnswer } from "./answer-bytes.ts";
import { fateOfAnswer, fateOfFailure } from "./fate.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type StreamEnd, teedStream } from "./teed-stream.ts";
import { WaitingRoom } from "./waiting-room.ts";

/** What JSON.parse can return: no -0. */
const asParsed = fc.json().map((text): unknown => JSON.parse(text));

/** The fingerprint of a request, in hexadecimal. */
function print(request: object, keyId = "key_1"): string {
  const caller = testCaller("prj_1", { keyId: keyId as "key_1" });
  const whole = { method: "POST", url: "/x", headers: { "content-type": "application/json" }, body: {}, ...request };
  return fingerprintOf({ caller, request: whole as unknown as KeyedRequest["request"] }).toString("hex");
}

test("[IDM3] JSON is the same whatever its spaces and order, and the content type whatever its parameters", () => {
  expect(print({ body: { a: 1, b: { c: [1, 2], d: "x" } } })).toBe(print({ body: { b: { d: "x", c: [1, 2] }, a: 1 } }));
  expect(print({ headers: { "content-type": "Application/JSON; charset=utf-8" } })).toBe(print({}));
  fc.assert(
    fc.property(asParsed, asParsed, (a, b) => {
      expect(print({ body: a }) === print({ body: b })).toBe(isDeepStrictEqual(a, b));
    }),
  );
});

test("[IDM3] method, path, query, type, caller, bytes and the headers that give them meaning make another request", () => {
  const bytes = { headers: { "content-type": "application/octet-stream" }, body: Buffer.from("{}") };
  const prints = [
    print({}),
    print({}, "key_2"),
    print({ method: "PUT" }),
    print({ url: "/y" }),
    print({ url: "/x?a=1" }),
    print({ body: undefined }),
    print({ body: [] }),
    print({ body: "{}" }),
    print(bytes),
    print({ ...bytes, body: Buffer.from("{ }") }),
    print({ ...bytes, headers: { ...bytes.headers, "inference-header-content-length": "2" } }),
  ];
  expect(new Set(prints).size).toBe(prints.length);
});

test("[IDM3] an upload counts by its length, whatever its boundary", () => {
  const upload = (boundary: string, length: string) =>
    print({
      headers: { "content-type": `multipart/form-data; boundary=${boundary}`, "content-length": length },
      body: undefined,
    });
  expect(upload("a", "10")).toBe(upload("b", "10"));
  expect(upload("a", "10")).not.toBe(upload("a", "11"));
});

test("[IDM3] JSON that nests deeper than the stack is refused", () => {
  let body: unknown = 1;
  for (let depth = 0; depth < 200_000; depth++) body = [body];
  expect(() => print({ body })).toThrow(expect.objectContaining({ code: "request.invalid" }));
});

test("[IDM1] an answer is what it was after it was kept, and says that it is a replay", () => {
  const header = fc.dictionary(fc.stringMatching(/^[a-z-]{1,20}$/), fc.string());
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      header,
      fc.uint8Array({ minLength: 1 }),
      (status, headers, body) => {
        const again = fromBytes(toBytes({ status, headers, body }));
        expect(again).toEqual({
          status,
          headers: { ...headers, "idempotent-replayed": "true" },
          body: Buffer.from(body),
        });
      },
    ),
  );
  expect(wholeAnswer({ body: { a: "ü" } })).toEqual({
    status: 200,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: Buffer.from('{"a":"ü"}'),
  });
  expect(wholeAnswer({ body: "text" }).body.toString()).toBe('"text"');
  expect(wholeAnswer({ body: "text", headers: { "Content-Type": "text/plain" } }).body.toString()).toBe("text");
  expect(fromBytes(toBytes(wholeAnswer({ status: 204, body: undefined }))).body).toBeUndefined();
});

test("[IDM5] [IDM6] of every failure it is decided what becomes of its key", () => {
  const fates = (Object.keys(errorTable) as ErrorCode[]).map(
    (code) => [code, fateOfFailure(new AppError(code, ""), false)] as const,
  );
  const of = (fate: string) => fates.filter(([, each]) => each === fate).map(([code]) => code);
  expect(of("open")).toEqual(expect.arrayContaining(["database.unavailable", "internal"]));
  expect(of("open")).toHaveLength(2);
  for (const code of of("kept")) {
    expect(errorTable[code].retryable).toBe(false);
    expect(errorTable[code].status).toBeLessThan(500);
    expect(errorTable[code].status).not.toBe(429);
  }
  expect(of("forgotten")).toEqual(
    expect.arrayContaining(["limit.exceeded", "engine.replica_died", "request.cancelled"]),
  );
  expect(fateOfFailure(new TypeError("a bug"), false)).toBe("open");
  // Who leaves may make a handler fail in any way, and must not get the rest for nothing.
  expect(fateOfFailure(new DOMException("aborted", "AbortError"), true)).toBe("forgotten");
  expect(fateOfFailure(new AppError("database.unavailable", ""), true)).toBe("open");
  expect([200, 202, 400, 409].map((status) => fateOfAnswer({ status, body: {} }))).toEqual(Array(4).fill("kept"));
  expect([408, 429, 500, 503].map((status) => fateOfAnswer({ status, body: {} }))).toEqual(Array(4).fill("forgotten"));
});

test("[IDM2] a stream's bytes pass as they come, and its end only when it was kept", async () => {
  const kept = Promise.withResolvers<void>();
  const ends: StreamEnd[] = [];
  const stream = teedStream(Readable.from(["a", "b", Buffer.from("c")]), 3, async (end) => {
    ends.push(end);
    await kept.promise;
  });
  let text = "";
  stream.on("data", (chunk) => (text += String(chunk)));
  const ended = once(stream, "end");
  await expect.poll(() => ends).toEqual([{ kind: "whole", bytes: Buffer.from("abc") }]);
  expect([text, stream.readableEnded]).toEqual(["abc", false]);
  kept.resolve();
  await ended;
});

test("[IDM7] [IDM10] a stream that is too large, fails, or loses its reader, also before its first byte, ends once and is not kept", async () => {
  const failing = async function* () {
    yield "a";
    throw new Error("broken");
  };
  const leaving = async (stream: Readable, error: Error) => {
    await once(stream, "data");
    stream.once("error", () => {}).destroy(error);
  };
  const cases: [Readable, (stream: Readable) => Promise<unknown>, StreamEnd["kind"]][] = [
    [Readable.from(["ab", "cd"]), (stream) => stream.toArray(), "too_large"],
    [Readable.from(failing()), (stream) => stream.toArray().catch(() => {}), "failed"],
    [Readable.from(["a", "b"]), async (stream) => stream.destroy(), "cut"],
    [Readable.from(["a", "b"]), (stream) => leaving(stream, new Error("connection reset")), "cut"],
    [Readable.from(["a", "b"]), async (stream) => once(stream, "data").then(() => stream.destroy()), "cut"],
  ];
  for (const [source, read, kind] of cases) {
    const ends: StreamEnd[] = [];
    const stream = teedStream(source, 3, async (end) => void ends.push(end));
    await read(stream);
    await expect.poll(() => [ends.map((end) => end.kind), source.destroyed]).toEqual([[kind], true]);
  }
});

test("[IDM4] one project's twins never take the places of another's, and all take no more than there are", async () => {
  const room = new WaitingRoom({ total: 3, perProject: 2 });
  const ends = Promise.withResolvers<void>();
  const waits = ["a", "a", "b"].map((project) => room.during(project, () => ends.promise));
  expect([room.hasSeat("a"), room.hasSeat("b")]).toEqual([false, false]);
  const roomier = new WaitingRoom({ total: 4, perProject: 2 });
  const others = ["a", "a"].map((project) => roomier.during(project, () => ends.promise));
  expect([roomier.hasSeat("a"), roomier.hasSeat("b")]).toEqual([false, true]);
  ends.resolve();
  await Promise.all([...waits, ...others]);
  expect([room.hasSeat("a"), roomier.hasSeat("a")]).toEqual([true, true]);
  await expect(room.during("a", () => Promise.reject(new Error("left")))).rejects.toThrow("left");
  expect(room.hasSeat("a")).toBe(true);
});
