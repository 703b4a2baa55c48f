import { timingSafeEqual } from "node:crypto";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type TestIdentity, testIdentity } from "../testing/identity.ts";
import { KeyStore } from "./store.ts";

// The real comparison, counted.
vi.mock("node:crypto", async (original) => {
  const real = await original<typeof import("node:crypto")>();
  return { ...real, timingSafeEqual: vi.fn(real.timingSafeEqual) };
});

let world: TestIdentity;
beforeEach(async () => {
  world = await testIdentity();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world.close();
});

describe("guessing keys", () => {
  test("[IDN13] costs one query and two comparisons of whole hashes, whatever exists, and has one answer", async () => {
    const live = await world.newKey({ scopes: ["keys:read"] });
    const revoked = await world.newKey({ scopes: ["keys:read"] });
    const rotated = await world.newKey({ scopes: ["keys:read"] });
    await world.call("DELETE", `/api/keys/${revoked.id}`);
    await world.call("POST", `/api/keys/${rotated.id}/rotate`, { body: { grace_seconds: 60 } });
    const wrong = (key: string) => key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
    const early = (key: string) => `${key.slice(0, 12)}${key[12] === "0" ? "1" : "0"}${key.slice(13)}`;
    const guesses = {
      unknown: "gm_aaaaaaaa_0123456789012345678901234567890123456789012",
      "of a key in use, its last character wrong": wrong(live.key),
      "of a key in use, its first character wrong": early(live.key),
      "of a secret in its grace": wrong(rotated.key),
      "of a revoked key": wrong(revoked.key),
      "the secret of a revoked key itself": revoked.key,
    };
    const query = vi.spyOn(KeyStore.prototype, "findByPrefix");
    const compare = vi.mocked(timingSafeEqual);
    const bodies = new Set<string>();
    for (let round = 0; round < 2; round++)
      for (const [what, key] of Object.entries(guesses)) {
        // The real key stays in use, and so remembered.
        expect((await world.call("GET", "/api/keys", { key: live.key })).status).toBe(200);
        query.mockClear();
        compare.mockClear();
        const { status, json } = await world.call("GET", "/api/keys", { key });
        expect({ what, status, queries: query.mock.calls.length }).toEqual({ what, status: 401, queries: 1 });
        expect(compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength])).toEqual([
          [32, 32],
          [32, 32],
        ]);
        bodies.add(JSON.stringify({ ...json.error, request_id: "" }));
      }
    expect(bodies.size).toBe(1);
  });

  test("[IDN13] no text opens a place without keys", async () => {
    await sql`delete from api_key`.execute(world.db);
    for (const key of ["gm_aaaaaaaa_0123456789012345678901234567890123456789012", "gm__", "%", "'", "gm_admin_"])
      expect((await world.call("GET", "/api/keys", { key })).status).toBe(401);
  });
});
