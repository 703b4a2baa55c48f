import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloudEventOf, type EventsApp, eventsApp } from "./testing/events-app.ts";

let app: EventsApp;
const now = new Date("2026-04-10T12:00:00Z");
const time = "2026-04-10T11:00:00Z";

beforeAll(async () => {
  app = await eventsApp({ now: () => now });
  const type = "shop.order";
  const meter = {
    event_type: type,
    aggregation: "sum",
    value_property: "$.amount",
    dimensions: { country: "$.country" },
  };
  for (const key of ["mine", "theirs"])
    expect((await app.call("POST", "/api/meters", { ...meter, name: "shop.revenue" }, key)).status).toBe(201);
});
afterAll(() => app.close());

let next = 0;
const order = <More extends Readonly<Record<string, unknown>>>(data: unknown, more: More = {} as More) =>
  cloudEventOf(`order ${++next}`, data, { time, ...more });

/** Everything of the ledger and beside it that a request could change. */
async function state(): Promise<unknown> {
  const { rows } = await sql`
    select (select count(*) from usage_event) as events, (select count(*) from usage_event_key) as keys,
      (select sum(quantity) from usage_hour) as sums, (select count(*) from meter) as meters,
      (select count(*) from quarantined_event) as quarantined`.execute(app.database.db);
  return rows[0];
}

async function quarantinedCode(event: unknown): Promise<string | undefined> {
  const { status, body } = await app.send([event]);
  expect([status, body.accepted, body.duplicates]).toEqual([202, 0, 0]);
  return body.quarantined[0]?.code;
}

describe("forged sources", () => {
  test.each([
    "gristmill",
    "Gristmill",
    "GRISTMILL",
    "/gristmill",
    "//gristmill/",
    "./gristmill",
    "../gristmill",
    "gristmill/corrections",
    "gristmill:events",
    "gristmill#x",
    "gristmill?x",
    "gristmill.corrections",
    "urn:gristmill",
    "https://gristmill/x",
    "gristmil%6c",
    "%67ristmill",
    "gristmil%256c",
    "%20gristmill",
    "gristmill%20",
    "gristmill%00",
    "gristmill%E2%80%8B",
  ])("[EVT4] %s is ours", async (source) => {
    const before = await state();
    expect(await quarantinedCode(order({ amount: 1 }, { source }))).toBe("source.reserved");
    expect(await state()).toEqual({ ...(before as object), quarantined: expect.anything() });
  });

  test.each([
    " gristmill",
    "gristmill ",
    "gristmill\u00a0",
    "gri\u200bstmill",
    "gristmіll",
    "ｇristmill",
    "gristmill\t",
    "a b",
    "a%zz",
    "",
  ])("[EVT4] %j is no source at all", async (source) => {
    expect(await quarantinedCode(order({ amount: 1 }, { source }))).toBe("event.malformed");
  });

  test.each(["gristmills", "my-gristmill", "shop/gristmill", "https://shop.example/gristmill"])(
    "[EVT4] %s is somebody else's",
    async (source) => {
      expect((await app.send([order({ amount: 1 }, { source })])).body).toMatchObject({ accepted: 1 });
    },
  );
});

describe("quantities", () => {
  test.each([
    ["negative", -1],
    ["negative text", "-1"],
    ["NaN", "NaN"],
    ["Infinity", "Infinity"],
    ["-Infinity", "-Infinity"],
    ["an exponent", "1e5"],
    ["hexadecimal", "0x10"],
    ["19 digits", "1234567890123456789"],
    ["ten digits after the point", "0.1234567891"],
    ["a number that JSON can't hold exactly", 2 ** 53],
    ["huge", 1e300],
    ["text", "lots"],
    ["nothing", undefined],
    ["null", null],
    ["true", true],
    ["a list", [1]],
    ["an object", { valueOf: 1 }],
    ["spaces", " 1"],
    ["other digits", "١"],
    ["SQL", "1); drop table usage_event; --"],
  ])("[EVT6] %s is no quantity", async (_, amount) => {
    expect(await quarantinedCode(order({ amount }))).toBe("value.invalid");
  });

  test("[EVT6] infinite JSON is refused with the event", async () => {
    const payload = JSON.stringify(order({ amount: 0 })).replace('"amount":0', '"amount":1e999');
    const answer = await app.http.app.inject({
      method: "POST",
      url: "/api/events",
      headers: { authorization: "Bearer mine", "content-type": "application/cloudevents+json" },
      payload,
    });
    expect(answer.json()).toMatchObject({ accepted: 0, quarantined: [{ code: "value.invalid" }] });
  });

  test.each([
    [0, "0"],
    ["0.000000001", "0.000000001"],
    [0.1, "0.1"],
    [0.30000000000000004, "0.3"],
    [1e-10, "0"],
    [-0, "0"],
    [9007199254740991, "9007199254740991"],
    ["999999999999999999.999999999", "999999999999999999.999999999"],
  ])("[EVT6] %s is counted as %s", async (amount, expected) => {
    const event = order({ amount });
    expect((await app.send([event])).body).toMatchObject({ accepted: 1 });
    const { rows } = await sql<{ quantity: string }>`
      select trim_scale(quantity)::text as quantity from usage_event where id = ${event.id}`.execute(app.database.db);
    expect(rows).toEqual([{ quantity: expected }]);
  });
});

describe("clocks", () => {
  test.each([
    ["five minutes and a second ahead", "2026-04-10T12:05:01Z", "time.ahead"],
    ["the year 9999", "9999-12-31T23:59:59Z", "time.ahead"],
    ["another zone", "2026-04-10T16:05:01+04:00", "time.ahead"],
    ["before the ledger's time", "2019-12-31T23:59:59Z", "time.too_old"],
    ["the year 1", "0001-01-01T00:00:00Z", "time.too_old"],
    ["a day that is none", "2026-02-30T00:00:00Z", "event.malformed"],
    ["a date alone", "2026-04-10", "event.malformed"],
    ["a number", 1_775_822_400, "event.malformed"],
    ["infinity", "infinity", "event.malformed"],
    ["SQL", "now()'; --", "event.malformed"],
  ])("[EVT5] a time of %s is not taken", async (_, at, code) => {
    expect(await quarantinedCode(order({ amount: 1 }, { time: at }))).toBe(code);
  });

  test("[EVT5] a clock five minutes ahead is taken, no time is now, and old events count by their own time", async () => {
    const sent = [
      order({ amount: 2 }, { id: "ahead", time: "2026-04-10T12:05:00Z" }),
      order({ amount: 3 }, { id: "no time", time: undefined }),
      order({ amount: 5 }, { id: "old", time: "2020-01-01T00:00:00Z" }),
    ];
    expect((await app.send(sent)).body).toMatchObject({ accepted: 3 });
    expect((await app.call("GET", "/api/events?id=no%20time")).body.data).toMatchObject([{ time: now.toISOString() }]);
    const old = await app.call(
      "GET",
      "/api/meters/shop.revenue/query?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z",
    );
    expect(old.body.data).toMatchObject([{ value: "5" }]);
  });
});

describe("SQL and odd text in every string", () => {
  const nasty = [
    "'; drop table usage_event; --",
    '" or 1=1 --',
    "$1",
    "$" + "{1}",
    "\\",
    "%27%20or%20true",
    '{"a":1}',
    "\n\nmodel\n1\nx",
    "🦀 ‮text",
    "__proto__",
    "constructor",
  ];

  test.each(nasty)("[EVT3] %j is text like any other", async (text) => {
    const isType = !text.includes("\n");
    const event = order(
      { amount: "2", country: text, [text]: { [text]: text } },
      {
        id: `id ${text}`.replaceAll("\n", " "),
        subject: text.replaceAll("\n", " "),
        extension: text.replaceAll("\n", " "),
      },
    );
    expect((await app.send([event])).body).toMatchObject({ accepted: 1, quarantined: [] });
    const back = await app.call("GET", `/api/events?id=${encodeURIComponent(event.id)}`);
    expect(back.body.data).toEqual([event]);
    const sums = await app.call(
      "GET",
      `/api/meters/shop.revenue/query?from=${time}&to=2026-04-10T11:00:01Z&group_by=country&filter.country=${encodeURIComponent(text)}`,
    );
    expect(sums.body.data).toMatchObject([{ group: { country: text }, value: "2" }]);
    expect(await quarantinedCode({ ...event, id: "x", type: `t ${text}` })).toBe(
      isType ? "meter.unknown" : "event.malformed",
    );
    const bySubject = await app.call("GET", `/api/events?subject=${encodeURIComponent(event.subject)}`);
    expect(bySubject.body.data).toEqual([event]);
    for (const field of ["source", "type", "id", "meter", "after", "from"]) {
      const answer = await app.call("GET", `/api/events?${field}=${encodeURIComponent(text)}`);
      expect([200, 400]).toContain(answer.status);
      if (answer.status === 200) expect(answer.body.data).toEqual([]);
    }
  });

  test("[EVT3] a value that looks like another dimension stays in its own group", async () => {
    const dimensions = { a: "$.a", b: "$.b" };
    await app.call("POST", "/api/meters", { name: "look.alike", event_type: "look", aggregation: "count", dimensions });
    const at = { type: "look", time: "2026-04-01T10:00:00Z" };
    await app.send([order({ a: "x", b: "y" }, at), order({ a: "x\nb\ny" }, at), order({ a: "x\n1\nb\n1\ny" }, at)]);
    const span = "from=2026-04-01T10:00:00Z&to=2026-04-01T11:00:00Z";
    const { body } = await app.call("GET", `/api/meters/look.alike/query?${span}&group_by=a,b`);
    expect(body.data.map((row: { group: unknown; value: string }) => [row.group, row.value])).toEqual([
      [{ a: "x", b: "y" }, "1"],
      [{ a: "x\n1\nb\n1\ny", b: null }, "1"],
      [{ a: "x\nb\ny", b: null }, "1"],
    ]);
  });

  test("[EVT3] fields of JavaScript's own are no data", async () => {
    const dimensions = { proto: "$.__proto__", made: "$.constructor.name" };
    const meter = { name: "own.fields", event_type: "own", aggregation: "count", dimensions };
    expect((await app.call("POST", "/api/meters", meter)).status).toBe(201);
    const sent = order({}, { type: "own", time: "2026-04-01T10:00:00Z" });
    expect((await app.send([sent])).body).toMatchObject({ accepted: 1 });
    const { body } = await app.call("GET", "/api/usage/events?meter=own.fields");
    expect(body.data).toMatchObject([{ dimensions: {} }]);
    const polluted = JSON.stringify(order({}, { type: "own" })).replace("{", '{"__proto__":{"accepted":true},');
    const answer = await app.http.app.inject({
      method: "POST",
      url: "/api/events",
      headers: { authorization: "Bearer mine", "content-type": "application/cloudevents+json" },
      payload: polluted,
    });
    expect(answer.json()).toMatchObject({ accepted: 0, quarantined: [{ code: "event.malformed" }] });
    expect(Object.hasOwn(Object.prototype, "accepted")).toBe(false);
  });
});

describe("JSON", () => {
  const post = async (payload: string, type = "application/cloudevents-batch+json") => {
    const answer = await app.http.app.inject({
      method: "POST",
      url: "/api/events",
      headers: { authorization: "Bearer mine", "content-type": type },
      payload,
    });
    return { status: answer.statusCode, code: answer.json().error?.code };
  };
  const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

  test.each([
    ["a hundred thousand levels deep", `[{"data":${nested(100_000)}}]`, 400, "request.invalid"],
    ["31 levels deep in an event", `[{"data":${nested(33)}}]`, 400, "request.invalid"],
    ["broken", "[{", 400, "request.invalid"],
    ["no list", "{}", 400, "request.invalid"],
    ["NUL", '[{"id":"a\\u0000b"}]', 400, "request.invalid"],
    ["NUL in a name", '[{"a\\u0000b":1}]', 400, "request.invalid"],
    ["half of a surrogate pair", '[{"id":"\\ud800"}]', 400, "request.invalid"],
    ["a batch of 1001", `[${"{},".repeat(1000)}{}]`, 413, "request.too_large"],
    ["an event of 65,537 characters", `[{"data":"${"x".repeat(65_537 - 11)}"}]`, 413, "request.too_large"],
    ["a request of more than 4 MiB", `["${"x".repeat(4 * 1024 * 1024)}"]`, 413, "request.too_large"],
    ["nothing", "", 400, "request.invalid"],
  ])("[EVT2] %s refuses the whole request, and nothing is written", async (_, payload, status, code) => {
    const before = await state();
    expect(await post(payload)).toEqual({ status, code });
    expect(await state()).toEqual(before);
  });

  test.each([
    ["null", "[null]"],
    ["text", '["event"]'],
    ["a list", "[[]]"],
    ["no fields", "[{}]"],
    ["another version", JSON.stringify([order({ amount: 1 }, { specversion: "0.3" })])],
    ["bytes", JSON.stringify([order(undefined, { data_base64: "AAEC" })])],
    ["data of another type", JSON.stringify([order("<a/>", { datacontenttype: "text/xml" })])],
    ["an extension that is an object", JSON.stringify([order({ amount: 1 }, { ext: {} })])],
    ["an extension in capitals", JSON.stringify([order({ amount: 1 }, { Ext: 1 })])],
    ["a control character in its id", JSON.stringify([order({ amount: 1 }, { id: "a\u001fshop.revenue" })])],
    ["an id of 256 characters", JSON.stringify([order({ amount: 1 }, { id: "x".repeat(256) })])],
  ])("[EVT7] an event that is %s is set aside", async (_, payload) => {
    const before = (await state()) as { events: string };
    expect(await post(payload)).toEqual({ status: 202, code: undefined });
    expect(await state()).toMatchObject({ events: before.events });
    const { body } = await app.call("GET", "/api/quarantine?limit=1");
    expect(body.data[0]).toMatchObject({ code: "event.malformed", event: JSON.parse(payload)[0] });
  });

  test("[EVT2] other content types are refused, and so is JSON without the headers of the binary mode", async () => {
    expect(await post("<event/>", "text/xml")).toEqual({ status: 415, code: "request.unsupported_media_type" });
    expect(await post(JSON.stringify(order({ amount: 1 })), "application/json")).toEqual({
      status: 400,
      code: "request.invalid",
    });
  });
});

describe("other tenants", () => {
  test("[EVT2] the same source and id in two projects are two events", async () => {
    const event = order({ amount: 7 }, { id: "shared id" });
    expect((await app.send([event], "mine")).body).toMatchObject({ accepted: 1 });
    expect((await app.send([event], "theirs")).body).toMatchObject({ accepted: 1 });
    expect((await app.send([event], "theirs")).body).toMatchObject({ duplicates: 1 });
  });

  test("[EVT9] [EVT15] nobody sees, corrects, replays or discards what is another project's", async () => {
    const event = order({ amount: 11, country: "THEIRS" }, { id: "their event", source: "their/shop" });
    await app.send([event, order({ amount: "NaN" }, { id: "their mistake" })], "theirs");
    const { data } = (await app.call("GET", "/api/quarantine", undefined, "theirs")).body;
    const { id } = data[0];
    expect(data[0].event.id).toBe("their mistake");
    for (const [method, url, body] of [
      ["GET", `/api/quarantine/${id}`, undefined],
      ["POST", `/api/quarantine/${id}/replay`, undefined],
      ["DELETE", `/api/quarantine/${id}?reason=mine`, undefined],
      ["POST", "/api/corrections", { source: "their/shop", id: "their event", reason: "mine" }],
    ] as const)
      expect((await app.call(method, url, body)).status).toBe(404);
    expect((await app.call("GET", "/api/events?source=their/shop")).body.data).toEqual([]);
    const cursor = (await app.call("GET", "/api/events?limit=1", undefined, "theirs")).body.last_id;
    const page = await app.call("GET", `/api/events?limit=100&after=${cursor}`);
    expect(page.text).not.toContain("their/shop");
    const span = "from=2026-04-01T00:00:00Z&to=2026-04-11T00:00:00Z";
    expect((await app.call("GET", `/api/meters/shop.revenue/query?${span}&filter.country=THEIRS`)).body.data).toEqual(
      [],
    );
    for (const format of ["csv", "jsonl", "parquet"]) {
      const file = await app.call("GET", `/api/usage/export?format=${format}&${span}`);
      expect(file.status).toBe(200);
      expect(file.text).not.toContain("their");
    }
    expect((await app.call("GET", "/api/meters?project=theirs")).status).toBe(400);
  });

  test("each route asks for its scope", async () => {
    const denied = async (method: "GET" | "POST" | "DELETE", url: string, body: unknown, key: string) =>
      expect([url, await app.call(method, url, body, key)]).toMatchObject([url, { status: 403 }]);
    for (const url of [
      "/api/events",
      "/api/quarantine",
      "/api/quarantine/qtn_1",
      "/api/meters",
      "/api/meters/a",
      "/api/meters/a/query",
      "/api/usage/export",
    ])
      await denied("GET", url, undefined, "sender");
    expect((await app.send([], "viewer")).status).toBe(403);
    await denied("POST", "/api/meters", {}, "sender");
    await denied("DELETE", "/api/meters/shop.revenue", undefined, "sender");
    await denied("POST", "/api/quarantine/qtn_1/replay", undefined, "viewer");
    await denied("DELETE", "/api/quarantine/qtn_1?reason=x", undefined, "viewer");
    await denied("POST", "/api/corrections", { source: "a", id: "b", reason: "c" }, "sender");
  });
});

describe("questions without bound", () => {
  test.each([
    ["a dimension that the meter has not", "group_by=customer"],
    ["SQL as a group", "group_by=country'%20or%20true--"],
    ["SQL as a filter's name", "filter.a'%20or%20true--=1"],
    ["unique values as a group", "group_by=$value"],
    ["a window that is none", "window=second"],
    ["twenty years of minutes", "window=minute&from=2006-01-01T00:00:00Z"],
    ["a span backwards", "from=2026-04-02T00:00:00Z&to=2026-04-01T00:00:00Z"],
    ["an unknown field", "limit=1000000"],
    ["a time that is none", "from=now()"],
  ])("[EVT14] %s is refused", async (_, query) => {
    expect(await app.call("GET", `/api/meters/shop.revenue/query?${query}`)).toMatchObject({
      status: 400,
      body: { error: { code: "request.invalid" } },
    });
  });

  test("[EVT14] more groups than an answer holds are refused, not cut", async () => {
    const at = "2026-03-01T10:00:00Z";
    const countries = Array.from({ length: 10_001 }, (_, n) => `country ${n}`);
    for (let from = 0; from < countries.length; from += 1000)
      await app.send(countries.slice(from, from + 1000).map((country) => order({ amount: 1, country }, { time: at })));
    const span = "from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z";
    expect((await app.call("GET", `/api/meters/shop.revenue/query?${span}`)).body.data).toMatchObject([
      { value: "10001" },
    ]);
    expect(await app.call("GET", `/api/meters/shop.revenue/query?${span}&group_by=country`)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining("10000 rows") } },
    });
  });
});
