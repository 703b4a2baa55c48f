import { expect, it } from "vitest";
import { Gristmill } from "../client.ts";
import { sendJson, serve } from "../testing/serve.ts";

/** 5 keys in pages of at most `limit`. */
const pages = () =>
  serve((request, response) => {
    const query = new URL(request.path, "http://x").searchParams;
    const ids = ["k1", "k2", "k3", "k4", "k5"];
    const start = ids.indexOf(query.get("after") ?? "") + 1;
    const data = ids.slice(start, start + Number(query.get("limit") ?? 2)).map((id) => ({ id }));
    const last = data.at(-1)?.id ?? null;
    sendJson(response, 200, {
      object: "list",
      data,
      first_id: data[0]?.id ?? null,
      last_id: last,
      has_more: last !== "k5",
    });
  });

it("iterates over every item, fetching a page when it is reached", async () => {
  const { baseUrl, received } = await pages();
  const { keys } = new Gristmill({ baseUrl, apiKey: "k" });
  const seen: string[] = [];
  for await (const key of keys.list({ limit: 2 })) {
    seen.push(key.id);
    if (key.id === "k3") break;
  }
  expect(seen).toEqual(["k1", "k2", "k3"]);
  expect(received.map(({ path }) => path)).toEqual(["/api/keys?limit=2", "/api/keys?limit=2&after=k2"]);
  expect((await keys.list({ limit: 2 }).all()).map(({ id }) => id)).toEqual(["k1", "k2", "k3", "k4", "k5"]);
});

it("gives one page, beginning where it is told", async () => {
  const { baseUrl } = await pages();
  const page = await new Gristmill({ baseUrl, apiKey: "k" }).keys.list({ limit: 2, after: "k1", order: "asc" }).page();
  expect(page).toMatchObject({ first_id: "k2", last_id: "k3", has_more: true });
});

it("stops at a page that promises more but leads nowhere", async () => {
  const { baseUrl, received } = await serve((_, response) =>
    sendJson(response, 200, { object: "list", data: [], first_id: null, last_id: null, has_more: true }),
  );
  expect(await new Gristmill({ baseUrl, apiKey: "k" }).keys.list().all()).toEqual([]);
  expect(received).toHaveLength(1);
});
