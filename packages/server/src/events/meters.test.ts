import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cloudEventOf, type EventsApp, eventsApp } from "./testing/events-app.ts";

let app: EventsApp;
let now = new Date("2026-04-10T12:00:00Z");

beforeAll(async () => {
  app = await eventsApp({ now: () => now });
});
afterAll(() => app.close());
beforeEach(() => {
  now = new Date("2026-04-10T12:00:00Z");
});

let next = 0;
/** A meter of a type of its own. */
async function meter(more: Readonly<Record<string, unknown>>): Promise<{ name: string; type: string }> {
  const [name, type] = [`test.meter_${++next}`, `type ${next}`];
  const answer = await app.call("POST", "/api/meters", { name, event_type: type, unit: "GB", ...more });
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return { name, type };
}

let events = 0;
const send = async (type: string, entries: readonly (readonly [time: string, data: unknown])[]) => {
  const batch = entries.map(([time, data]) => cloudEventOf(`e${++events}`, data, { type, time }));
  const { body } = await app.send(batch);
  expect(body).toMatchObject({ accepted: entries.length, quarantined: [] });
};
const ask = async (name: string, query: string) => {
  const answer = await app.call("GET", `/api/meters/${name}/query?${query}`);
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
  return answer.body;
};
const rows = async (name: string, query: string) =>
  (await ask(name, query)).data.map((row: { window_start: string; group: Record<string, string>; value: string }) => [
    row.window_start.slice(0, 16),
    ...Object.values(row.group),
    row.value,
  ]);

const day = "from=2026-04-01T00:00:00Z&to=2026-04-02T00:00:00Z";
const uneven = "from=2026-04-01T00:30:00Z&to=2026-04-01T04:45:00Z";

describe("aggregations", () => {
  const stored: readonly (readonly [string, unknown])[] = [
    ["2026-04-01T00:10:00Z", { gb: 5, disk: "a", user: "ann" }],
    ["2026-04-01T00:40:00Z", { gb: "7.5", disk: "a", user: "bob" }],
    ["2026-04-01T02:00:00Z", { gb: 1, disk: "b", user: "ann" }],
    ["2026-04-01T04:30:00Z", { gb: 2, disk: "a", user: "eve" }],
    ["2026-04-01T04:50:00Z", { gb: 9, disk: "b", user: "bob" }],
  ];
  const dimensions = { disk: "$.disk" };

  test.each([
    [
      "sum",
      "$.gb",
      "24.5",
      "10.5",
      [
        ["a", "14.5"],
        ["b", "10"],
      ],
    ],
    [
      "count",
      null,
      "5",
      "3",
      [
        ["a", "3"],
        ["b", "2"],
      ],
    ],
    [
      "max",
      "$.gb",
      "9",
      "7.5",
      [
        ["a", "7.5"],
        ["b", "9"],
      ],
    ],
    [
      "unique_count",
      "$.user",
      "3",
      "3",
      [
        ["a", "3"],
        ["b", "2"],
      ],
    ],
    [
      "latest",
      "$.gb",
      "9",
      "2",
      [
        ["a", "2"],
        ["b", "9"],
      ],
    ],
  ])(
    "[EVT12] %s: of a day, of a span with uneven edges, and by a dimension",
    async (aggregation, value_property, all, some, by) => {
      const { name, type } = await meter({ aggregation, value_property, dimensions });
      await send(type, stored);
      expect(await rows(name, day)).toEqual([["2026-04-01T00:00", all]]);
      expect(await rows(name, uneven)).toEqual([["2026-04-01T00:30", some]]);
      expect(await rows(name, `${day}&group_by=disk`)).toEqual(by.map((each) => ["2026-04-01T00:00", ...each]));
      expect(await rows(name, `${day}&filter.disk=b`)).toEqual([["2026-04-01T00:00", by[1]?.[1]]]);
      expect(await rows(name, `${day}&filter.disk=c`)).toEqual([]);
    },
  );

  test("[EVT12] windows are whole units, the first and the last cut to the span; minutes too", async () => {
    const { name, type } = await meter({ aggregation: "sum", value_property: "$.gb" });
    await send(type, stored);
    expect(await rows(name, `${uneven}&window=hour`)).toEqual([
      ["2026-04-01T00:30", "7.5"],
      ["2026-04-01T02:00", "1"],
      ["2026-04-01T04:00", "2"],
    ]);
    expect(await rows(name, `${day}&window=minute`)).toEqual([
      ["2026-04-01T00:10", "5"],
      ["2026-04-01T00:40", "7.5"],
      ["2026-04-01T02:00", "1"],
      ["2026-04-01T04:30", "2"],
      ["2026-04-01T04:50", "9"],
    ]);
    expect((await ask(name, `${day}&window=month`)).data).toMatchObject([
      { window_start: "2026-04-01T00:00:00.000Z", window_end: "2026-04-02T00:00:00.000Z", events: 5, value: "24.5" },
    ]);
  });

  test("[EVT12] the latest of each hour, also where the hour's sums only say that there was something", async () => {
    const { name, type } = await meter({ aggregation: "latest", value_property: "$.gb", dimensions });
    await send(type, stored);
    expect(await rows(name, `${day}&window=hour&group_by=disk`)).toEqual([
      ["2026-04-01T00:00", "a", "7.5"],
      ["2026-04-01T02:00", "b", "1"],
      ["2026-04-01T04:00", "a", "2"],
      ["2026-04-01T04:00", "b", "9"],
    ]);
  });
});

describe("time-weighted", () => {
  const gauge = async () =>
    await meter({ aggregation: "time_weighted", value_property: "$.gb", dimensions: { disk: "$.disk" } });

  test("[EVT13] a value holds until the next; before the first a gauge stands at zero", async () => {
    const { name, type } = await gauge();
    await send(type, [
      ["2026-04-01T06:00:00Z", { gb: 10, disk: "a" }],
      ["2026-04-01T18:00:00Z", { gb: 2, disk: "a" }],
    ]);
    // 6 h of 0, 12 h of 10, 6 h of 2.
    expect(await rows(name, day)).toEqual([["2026-04-01T00:00", "5.5"]]);
    expect(await rows(name, "from=2026-04-01T05:00:00Z&to=2026-04-01T08:00:00Z&window=hour")).toEqual([
      ["2026-04-01T06:00", "10"],
      ["2026-04-01T07:00", "10"],
    ]);
  });

  test("[EVT13] a value holds from before the span, whatever lies between: another hour, the same hour, nothing", async () => {
    const { name, type } = await gauge();
    await send(type, [
      ["2026-03-30T10:00:00Z", { gb: 4, disk: "a" }],
      ["2026-03-30T10:20:00Z", { gb: 8, disk: "a" }],
    ]);
    expect(await rows(name, day)).toEqual([["2026-04-01T00:00", "8"]]);
    expect(await rows(name, "from=2026-03-30T10:10:00Z&to=2026-03-30T10:30:00Z")).toEqual([["2026-03-30T10:10", "6"]]);
    await send(type, [["2026-03-30T10:50:00Z", { gb: 1, disk: "a" }]]);
    expect(await rows(name, "from=2026-03-30T10:30:00Z&to=2026-03-30T10:40:00Z")).toEqual([["2026-03-30T10:30", "8"]]);
  });

  test("[EVT13] series of one group add up", async () => {
    const { name, type } = await gauge();
    await send(type, [
      ["2026-03-31T00:00:00Z", { gb: 3, disk: "a" }],
      ["2026-04-01T12:00:00Z", { gb: 4, disk: "b" }],
    ]);
    expect(await rows(name, day)).toEqual([["2026-04-01T00:00", "5"]]);
    expect(await rows(name, `${day}&group_by=disk`)).toEqual([
      ["2026-04-01T00:00", "a", "3"],
      ["2026-04-01T00:00", "b", "2"],
    ]);
    expect(await rows(name, "from=2026-03-31T00:00:00Z&to=2026-04-02T00:00:00Z&window=day&group_by=disk")).toEqual([
      ["2026-03-31T00:00", "a", "3"],
      ["2026-04-01T00:00", "a", "3"],
      ["2026-04-01T00:00", "b", "2"],
    ]);
  });

  test("[EVT13] of a window that has not ended, the part counts that has passed", async () => {
    const { name, type } = await gauge();
    now = new Date("2026-04-01T06:00:00Z");
    await send(type, [["2026-04-01T03:00:00Z", { gb: 6, disk: "a" }]]);
    expect(await rows(name, day)).toEqual([["2026-04-01T00:00", "3"]]);
    expect(await rows(name, "from=2026-04-02T00:00:00Z&to=2026-04-03T00:00:00Z")).toEqual([]);
  });

  test("[EVT13] windows of months are months of UTC", async () => {
    const { name, type } = await gauge();
    await send(type, [["2026-01-31T00:00:00Z", { gb: 31, disk: "a" }]]);
    expect(await rows(name, "from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z&window=month")).toEqual([
      ["2026-01-01T00:00", "1"],
      ["2026-02-01T00:00", "31"],
    ]);
  });
});

describe("meters", () => {
  test("[EVT10] the platform's are listed beside the project's own, and can be asked", async () => {
    const { name } = await meter({ aggregation: "count" });
    const { body } = await app.call("GET", "/api/meters?limit=100&order=asc");
    const names = body.data.map((each: { name: string }) => each.name);
    expect(names).toContain("service.requests");
    expect(names.at(-1)).toBe(name);
    expect((await app.call("GET", `/api/meters/${name}`)).body).toMatchObject({
      name,
      built_in: false,
      value_property: null,
    });
    const time = new Date("2026-04-01T09:00:00Z");
    await app.ledger.record(app.mine, [
      {
        id: "own",
        meter: "service.requests",
        quantity: 3n,
        time,
        admittedAt: time,
        requestId: null,
        keyId: null,
        dimensions: { model: "m" },
      },
    ]);
    expect(await rows("service.requests", `${day}&group_by=model`)).toEqual([["2026-04-01T00:00", "m", "3"]]);
  });

  test("[EVT10] pages of the list are the whole list", async () => {
    const found: string[] = [];
    let after = "";
    for (let more = true; more; ) {
      const { body } = await app.call("GET", `/api/meters?limit=7${after}`);
      found.push(...body.data.map((each: { id: string }) => each.id));
      after = `&after=${body.last_id}`;
      more = body.has_more;
    }
    const all = (await app.call("GET", "/api/meters?limit=100")).body.data.map((each: { id: string }) => each.id);
    expect(found).toEqual(all);
  });

  test.each([
    ["a name of the platform's", { name: "service.requests" }, 409, "meter.name_taken"],
    ["a name like the platform's", { name: "training.flops" }, 409, "meter.name_taken"],
    ["our own name", { name: "gristmill.events" }, 409, "meter.name_taken"],
    ["capitals", { name: "Shop" }, 400, "request.invalid"],
    ["SQL", { name: "a; drop table meter" }, 400, "request.invalid"],
    ["no value to sum", { aggregation: "sum" }, 400, "request.invalid"],
    ["a value to count", { value_property: "$.a" }, 400, "request.invalid"],
    ["an aggregation that is none", { aggregation: "median" }, 400, "request.invalid"],
    ["a pointer that is none", { dimensions: { a: "a.b" } }, 400, "request.invalid"],
    ["a pointer with SQL", { dimensions: { a: "$.a') or true --" } }, 400, "request.invalid"],
    ["a dimension's name with SQL", { dimensions: { "a'": "$.a" } }, 400, "request.invalid"],
    ["the dimension of unique values", { dimensions: { $value: "$.a" } }, 400, "request.invalid"],
    [
      "too many dimensions",
      { dimensions: Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`d${n}`, "$.a"])) },
      400,
      "request.invalid",
    ],
    ["a field that is none", { project_id: "prj_1" }, 400, "request.invalid"],
    ["no type", { event_type: "" }, 400, "request.invalid"],
  ])("a meter with %s is refused", async (_, more, status, code) => {
    const input = { name: "shop.refused", event_type: "t", aggregation: "count", ...more };
    expect(await app.call("POST", "/api/meters", input)).toMatchObject({ status, body: { error: { code } } });
  });

  test("[EVT11] a deleted meter counts no more; what it has counted stays, and so does its name", async () => {
    const { name, type } = await meter({ aggregation: "count" });
    await send(type, [["2026-04-01T01:00:00Z", {}]]);
    expect(await app.call("DELETE", `/api/meters/${name}`)).toMatchObject({ status: 200, body: { deleted: true } });
    expect(await app.call("DELETE", `/api/meters/${name}`)).toMatchObject({ status: 404 });
    expect(await app.call("GET", `/api/meters/${name}`)).toMatchObject({ status: 404 });
    const again = await app.send([cloudEventOf("after the end", {}, { type, time: "2026-04-01T01:00:00Z" })]);
    expect(again.body).toMatchObject({ accepted: 0, quarantined: [{ code: "meter.unknown" }] });
    expect(await rows(name, day)).toEqual([["2026-04-01T00:00", "1"]]);
    expect(await app.call("POST", "/api/meters", { name, event_type: "another", aggregation: "count" })).toMatchObject({
      status: 409,
      body: { error: { code: "meter.name_taken" } },
    });
    expect((await app.call("DELETE", "/api/meters/service.requests")).status).toBe(404);
  });

  test("[EVT11] a type has ten meters at most, a project a hundred", async () => {
    const type = "a popular type";
    for (let n = 0; n < 10; n++)
      await app.call(
        "POST",
        "/api/meters",
        { name: `popular.m${n}`, event_type: type, aggregation: "count" },
        "theirs",
      );
    const tooMany = { status: 409, body: { error: { code: "meter.too_many" } } };
    expect(
      await app.call("POST", "/api/meters", { name: "popular.more", event_type: type, aggregation: "count" }, "theirs"),
    ).toMatchObject(tooMany);
    for (let n = 10; n < 100; n++)
      await app.call(
        "POST",
        "/api/meters",
        { name: `popular.m${n}`, event_type: `type ${n}`, aggregation: "count" },
        "theirs",
      );
    expect(
      await app.call("POST", "/api/meters", { name: "popular.last", event_type: "t", aggregation: "count" }, "theirs"),
    ).toMatchObject(tooMany);
  });

  test("[EVT8] several meters of one type count one event, all or none", async () => {
    const type = "order with two numbers";
    const [sums, counts] = [{ aggregation: "sum", value_property: "$.amount" }, { aggregation: "count" }];
    for (const [name, more] of Object.entries({ "both.amount": sums, "both.count": counts }))
      await app.call("POST", "/api/meters", { name, event_type: type, ...more });
    const time = "2026-04-01T05:00:00Z";
    const good = cloudEventOf("with both", { amount: 4 }, { type, time });
    const { body } = await app.send([good, good, cloudEventOf("with one", {}, { type, time })]);
    expect(body).toMatchObject({ accepted: 1, duplicates: 1, quarantined: [{ index: 2, code: "value.invalid" }] });
    expect(await rows("both.amount", day)).toEqual([["2026-04-01T00:00", "4"]]);
    expect(await rows("both.count", day)).toEqual([["2026-04-01T00:00", "1"]]);
    // A meter that is made later counts nothing that was counted before.
    await app.call("POST", "/api/meters", { name: "both.later", event_type: type, aggregation: "count" });
    expect((await app.send([good])).body).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await rows("both.later", day)).toEqual([]);
    expect((await app.call("GET", `/api/events?id=with%20both`)).body.data).toMatchObject([good]);
    expect((await app.call("GET", "/api/events?meter=both.count")).body.data).toMatchObject([good]);
  });
});
