import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { secretText, signedHeaders } from "./signature.ts";

const minute = 60_000;
const message = (body: string, at = new Date()) => ({ id: "alr_1", at, body });

describe("[NTF3] signatures", () => {
  it("are those of Standard Webhooks, for any body", () => {
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ minLength: 24, maxLength: 64 }), (body, secret) => {
        const headers = signedHeaders([secret], message(body));
        expect(new Webhook(secretText(secret)).verify(body, headers)).toEqual(JSON.parse(body));
      }),
    );
  });

  it("of a secret and the one before it are both there, and either receiver finds its own", () => {
    const [current, before, other] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    const headers = signedHeaders([current, before], message("{}"));
    expect(headers["webhook-signature"].split(" ")).toHaveLength(2);
    for (const secret of [current, before]) expect(new Webhook(secretText(secret)).verify("{}", headers)).toEqual({});
    expect(() => new Webhook(secretText(other)).verify("{}", headers)).toThrow("No matching signature");
  });

  it("don't hold for another body, id or time, nor for a call that is played again later", () => {
    const secret = randomBytes(32);
    const receiver = new Webhook(secretText(secret));
    const headers = signedHeaders([secret], message('{"spent":"1"}'));
    expect(() => receiver.verify('{"spent":"2"}', headers)).toThrow("No matching signature");
    expect(() => receiver.verify('{"spent":"1"}', { ...headers, "webhook-id": "alr_2" })).toThrow("No matching");
    const later = String(Number(headers["webhook-timestamp"]) + 1);
    expect(() => receiver.verify('{"spent":"1"}', { ...headers, "webhook-timestamp": later })).toThrow("No matching");
    const old = signedHeaders([secret], message("{}", new Date(Date.now() - 6 * minute)));
    expect(() => receiver.verify("{}", old)).toThrow("too old");
    const early = signedHeaders([secret], message("{}", new Date(Date.now() + 6 * minute)));
    expect(() => receiver.verify("{}", early)).toThrow("too new");
  });
});
