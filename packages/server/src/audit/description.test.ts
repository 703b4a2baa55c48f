import { AppError, auditDetails, type ProjectId } from "@gristmill/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testCaller } from "../testing/caller.ts";
import { actorOf, detailsOf, endingOfAnswer, endingOfFailure, plainText } from "./description.ts";

describe("what is said of a request", () => {
  test("[AUD3] is the values of settings, and of all else the name alone", () => {
    expect(
      detailsOf({
        name: "k",
        scopes: ["inference"],
        expires_at: null,
        hard: true,
        value: 60,
        amount: "1.50",
        subject: { type: "key", id: "key_1" },
        thresholds: [50, 80],
        password: "hunter2",
        client_secret: "s3cret",
      }),
    ).toEqual({
      name: "k",
      scopes: ["inference"],
      expires_at: null,
      hard: true,
      value: 60,
      amount: "1.50",
      subject: '{"type":"key","id":"key_1"}',
      thresholds: "[50,80]",
      other_fields: ["password", "client_secret"],
    });
    for (const nothing of [undefined, null, "text", Buffer.from("{}"), [], 7]) expect(detailsOf(nothing)).toEqual({});
  });

  test("[AUD3] is small and of the log's form, whatever a body holds", () => {
    const names = fc.constantFrom("name", "role", "value", "scopes", "subject", "x".repeat(1000), "\uD800", "a\0b");
    fc.assert(
      fc.property(fc.dictionary(names, fc.anything({ withNullPrototype: false })), (body) => {
        const told = detailsOf(body);
        expect(auditDetails.safeParse(told).success).toBe(true);
        expect(auditDetails.parse(JSON.parse(JSON.stringify(told)))).toEqual(told);
        expect(JSON.stringify(told)).not.toMatch(/\\u0000|\\ud[89ab]/i);
      }),
    );
    expect(plainText(`${"x".repeat(511)}\u{1F600}`)).toBe(`${"x".repeat(511)}\uFFFD`);
  });
});

test("[AUD3] an actor is the admin key, a key or a user", () => {
  const caller = testCaller("prj_1" as ProjectId, { keyId: "key_1" });
  expect(actorOf({ ...caller, kind: "admin", keyId: null })).toEqual({ type: "admin_key", id: null });
  expect(actorOf(caller)).toEqual({ type: "key", id: "key_1" });
  expect(actorOf({ ...caller, kind: "user", keyId: null, userId: "usr_1" })).toEqual({ type: "user", id: "usr_1" });
});

test("[AUD3] a target is what the answer names, else the last id of the path", () => {
  const [outer, inner] = [`prj_${"0".repeat(26)}`, `key_${"1".repeat(26)}`];
  const path = `/api/projects/${outer}/keys/${inner}/rotate`;
  expect(endingOfAnswer(path, { body: { id: "run_1" } }).targetId).toBe("run_1");
  expect(endingOfAnswer(path, { body: new Uint8Array(3) }).targetId).toBe(inner);
  expect(endingOfFailure("/api/keys/by-name", new AppError("key.not_found", "x"))).toEqual({
    outcome: "failed",
    status: 404,
    errorCode: "key.not_found",
    targetId: null,
  });
});
