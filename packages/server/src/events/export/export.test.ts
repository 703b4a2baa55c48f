import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloudEventOf, type EventsApp, eventsApp } from "../testing/events-app.ts";
import { exportLedger } from "./index.ts";
import { type ExportRow, ledgerPages } from "./rows.ts";
import { safeCell, toCsv } from "./text.ts";

let app: EventsApp;
const span = "from=2026-04-01T00:00:00Z&to=2026-04-02T00:00:00Z";
const from = new Date("2026-04-01T00:00:00Z");
const to = new Date("2026-04-02T00:00:00Z");
const nasty = "=cmd|'/c calc'!A0";

beforeAll(async () => {
  app = await eventsApp({ now: () => new Date("2026-04-10T12:00:00Z") });
  const meter = {
    event_type: "shop.order",
    aggregation: "sum",
    value_property: "$.amount",
    dimensions: { who: "$.who" },
  };
  await app.call("POST", "/api/meters", { name: "shop.revenue", ...meter });
  const order = (id: string, amount: string, time: string, who: unknown = 'a "quoted", text\nof two lines') =>
    cloudEventOf(id, { amount, who }, { time });
  const { body } = await app.send([
    order("1", "0.000000001", "2026-04-01T00:00:00Z"),
    order(nasty, "123456789012345678.5", "2026-04-01T10:00:00Z"),
    order("ünïcödé 🦀", "3", "2026-04-01T10:00:00Z"),
    order("no who", "2", "2026-04-01T23:59:59.999Z", null),
    order("the next day", "1", "2026-04-02T00:00:00Z"),
  ]);
  expect(body).toMatchObject({ accepted: 5 });
  await app.call("POST", "/api/corrections", { source: "shop/checkout", id: "no who", reason: "a test" });
});
afterAll(() => app.close());

const ids = ["1", nasty, "ünïcödé 🦀", "no who"];
const quantities = ["0.000000001", "123456789012345678.5", "3", "2"];

async function pagesOf<Page>(pages: AsyncIterable<Page>): Promise<Page[]> {
  const all: Page[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

describe("export", () => {
  test("[EVT19] JSON lines: every record of the span, exactly, in order", async () => {
    const { status, text, headers } = await app.call("GET", `/api/usage/export?format=jsonl&${span}`);
    expect([status, headers["content-disposition"]]).toEqual([
      200,
      'attachment; filename="usage-2026-04-01-2026-04-02.jsonl"',
    ]);
    const rows = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as ExportRow);
    const sent = rows.filter((row) => row.source === "shop/checkout");
    expect(sent.map((row) => row.id)).toEqual(ids);
    expect(sent.map((row) => row.quantity)).toEqual(quantities);
    expect(sent.map((row) => row.dimensions)).toEqual([
      { who: 'a "quoted", text\nof two lines' },
      { who: 'a "quoted", text\nof two lines' },
      { who: 'a "quoted", text\nof two lines' },
      {},
    ]);
    expect(rows.filter((row) => row.source === "gristmill/corrections").map((row) => row.quantity)).toEqual(["-2"]);
  });

  test("[EVT19] Parquet: the same, read back by another program's reader", async () => {
    const answer = await app.http.app.inject({
      url: `/api/usage/export?format=parquet&${span}`,
      headers: { authorization: "Bearer mine" },
    });
    const { buffer, byteOffset, byteLength } = answer.rawPayload;
    const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    const rows = (await parquetReadObjects({ file })) as unknown as ExportRow[];
    const sent = rows.filter((row) => row.source === "shop/checkout");
    expect(sent.map((row) => row.id)).toEqual(ids);
    expect(sent.map((row) => row.quantity)).toEqual(quantities);
    expect(sent[1]).toMatchObject({
      meter: "shop.revenue",
      time: new Date("2026-04-01T10:00:00Z"),
      request_id: null,
      price_id: null,
      dimensions: { who: 'a "quoted", text\nof two lines' },
    });
    expect(rows).toHaveLength(5);
  });

  test("[EVT19] Parquet of nothing is a file with columns and no rows", async () => {
    const answer = await app.http.app.inject({
      url: "/api/usage/export?format=parquet&from=2021-01-01T00:00:00Z&to=2021-01-02T00:00:00Z",
      headers: { authorization: "Bearer mine" },
    });
    const { buffer, byteOffset, byteLength } = answer.rawPayload;
    const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    expect(await parquetReadObjects({ file })).toEqual([]);
  });

  test("[EVT20] CSV: no cell is a formula, and numbers stay numbers", async () => {
    const { text } = await app.call("GET", `/api/usage/export?format=csv&${span}`);
    const [header, ...lines] = text.split("\r\n").filter((line) => line !== "");
    expect(header).toBe("source,id,meter,quantity,time,admitted_at,recorded_at,request_id,key_id,price_id,dimensions");
    expect(lines).toHaveLength(5);
    expect(lines[1]).toContain(`,'${nasty},shop.revenue,123456789012345678.5,2026-04-01T10:00:00.000Z,`);
    expect(text).toContain(",-2,2026-04-01T23:59:59.999Z,");
    expect(text).toContain('"{""who"": ""a \\""quoted\\"", text\\nof two lines""}"'.replace('"": ""', '"":""'));
    for (const line of lines) for (const cell of line.split(",")) expect(/^"?[=+@\t]/.test(cell)).toBe(false);
  });

  test.each(["=1", "+1+1", "-1-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", "-", "=", "+1"])(
    "[EVT20] %j is shown, not run",
    (text) => {
      expect(safeCell(text)).toBe(`'${text}`);
    },
  );

  test.each(["-5", "-0.25", "5", "a=1", "", "2026-04-01T00:00:00.000Z", "{}"])(
    "[EVT20] %j is left as it is",
    (text) => {
      expect(safeCell(text)).toBe(text);
    },
  );

  test("[EVT19] pages of any size are the whole, and no session is held between them", async () => {
    const question = { projectId: app.mine, from, to, meter: null };
    const whole = (await pagesOf(ledgerPages(app.database.db, question))).flat();
    expect(whole).toHaveLength(5);
    for (const size of [1, 2, 3, 5]) {
      const pages = await pagesOf(ledgerPages(app.database.db, question, size));
      expect(pages.flat()).toEqual(whole);
      expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(size);
    }
    // More readers that are slow than there are sessions: each has its first page, and others can still ask.
    const slow = Array.from({ length: 20 }, () => ledgerPages(app.database.db, question, 1));
    await Promise.all(slow.map((pages) => pages.next()));
    expect((await app.call("GET", "/api/events?limit=1")).status).toBe(200);
    await Promise.all(slow.map((pages) => pages.return()));
  });

  test("[EVT19] reads no further than it is read: memory holds a page or two, however long the ledger is", async () => {
    let read = 0;
    const row: ExportRow = {
      source: "s",
      id: "x".repeat(100),
      meter: "m",
      quantity: "1",
      time: from,
      admitted_at: from,
      recorded_at: from,
      request_id: null,
      key_id: null,
      price_id: null,
      dimensions: {},
    };
    async function* endless(): AsyncGenerator<readonly ExportRow[], void> {
      for (;;) {
        read++;
        yield Array.from({ length: 100 }, () => row);
      }
    }
    const lines = toCsv(endless());
    for (let n = 0; n < 3; n++) await lines.next();
    expect(read).toBe(2);
    await lines.return();
    const { body } = exportLedger(app.database.db, { projectId: app.mine, from, to, meter: null }, "csv");
    body.destroy();
    expect(body.destroyed).toBe(true);
  });

  test("a span backwards and an unknown format are refused", async () => {
    for (const query of [
      "format=xml",
      "from=2026-04-02T00:00:00Z&to=2026-04-01T00:00:00Z",
      "from=yesterday",
      "project=x",
    ])
      expect((await app.call("GET", `/api/usage/export?${query}`)).status).toBe(400);
  });
});
