import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AuditEntry, auditEntry } from "./api/audit.ts";
import { auditEntryText, canonicalJson, chainStart, verifyAuditLog } from "./audit-chain.ts";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A log of so many entries, chained. */
function logOf(length: number, say: (number: number) => Partial<AuditEntry> = () => ({})): AuditEntry[] {
  const log: AuditEntry[] = [];
  for (let number = 1; number <= length; number++) {
    const entry = {
      id: `aud_${number}`,
      object: "audit.entry" as const,
      organization_id: "org_1",
      number,
      previous_hash: log.at(-1)?.hash ?? chainStart.hash,
      action: number % 2 === 1 ? ("organization.updated" as const) : ("project.created" as const),
      outcome: "succeeded" as const,
      status: 200,
      error_code: null,
      actor: { type: "key" as const, id: `key_${number % 3}` },
      project_id: "prj_1",
      target_id: `run_${number}`,
      path: `/api/runs/run_${number}`,
      address: "203.0.113.7",
      request_id: `req_${number}`,
      details: { name: 'ü\u2028\\"\n', scopes: ["inference", "runs:read"], value: number, hard: true, none: null },
      began_at: "2026-11-23T10:00:00.000Z",
      at: "2026-11-23T10:00:00.100Z",
      ...say(number),
    };
    log.push({ ...entry, hash: hashOf(auditEntryText(entry)) });
  }
  return log;
}

/** An entry's hash made right again, as a forger would. */
const rehashed = (entry: AuditEntry): AuditEntry => ({ ...entry, hash: hashOf(auditEntryText(entry)) });

describe("canonical JSON", () => {
  test("sorts names by their UTF-16 code units at every depth and has no spaces", () => {
    const value = { b: [1, { z: null, a: true }], a: "x", "\u{1F600}": 1, "\uFB33": 2, é: 3, Z: 4, nothing: undefined };
    expect(canonicalJson(value)).toBe('{"Z":4,"a":"x","b":[1,{"a":true,"z":null}],"é":3,"\u{1F600}":1,"\uFB33":2}');
  });

  // The hash is Python's: hashlib.sha256(json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
  test("of an entry has the hash that a program in another language computes", () => {
    const [entry] = logOf(1);
    expect(hashOf(auditEntryText(entry ?? {}))).toBe(entry?.hash);
    expect(entry?.hash).toBe("b15effd17e88cf686f831a674b9b3ccb99e85c5eaf0d02bf7e59984134cf9ccc");
  });
});

describe("a log", () => {
  test("as it was written is valid, from its start or from a kept position, in batches and across them", async () => {
    const log = logOf(600);
    const head = { number: 600, hash: log[599]?.hash ?? "" };
    expect(await verifyAuditLog(log)).toEqual({ entries: 600, head, broken: null });
    expect(await verifyAuditLog(log, { until: head })).toMatchObject({ broken: null });
    const from = { number: 255, hash: log[254]?.hash ?? "" };
    expect(await verifyAuditLog(log.slice(255), { from, until: head })).toEqual({ entries: 345, head, broken: null });
    expect(await verifyAuditLog([])).toEqual({ entries: 0, head: chainStart, broken: null });
    for (const entry of log.slice(0, 5)) expect(auditEntry.parse(entry)).toEqual(entry);
  });

  const length = fc.integer({ min: 1, max: 40 });
  const field = fc.constantFrom(...(Object.keys(logOf(1)[0] ?? {}) as (keyof AuditEntry)[]));

  test("in which any field of any entry was changed is broken exactly there", async () => {
    await fc.assert(
      fc.asyncProperty(length, fc.nat(), field, fc.jsonValue(), async (size, where, name, value) => {
        const log = logOf(size);
        const at = where % size;
        const entry = log[at];
        if (entry === undefined) return;
        fc.pre(canonicalJson(entry[name]) !== canonicalJson(value));
        const changed: unknown[] = log.with(at, { ...entry, [name]: value } as AuditEntry);
        const { broken, entries } = await verifyAuditLog(changed, {
          until: { number: size, hash: log.at(-1)?.hash ?? "" },
        });
        expect([entries, broken?.number]).toEqual([at, at + 1]);
      }),
      { numRuns: 300 },
    );
  });

  test("of which any entry was taken, added, doubled or moved is broken at that place or before the end", async () => {
    const edit = fc.constantFrom("take", "double", "swap", "forge", "cut");
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 40 }), fc.nat(), edit, async (size, where, how) => {
        const log = logOf(size);
        const at = where % size;
        const [entry, next] = [log[at], log[(at + 1) % size]];
        if (entry === undefined || next === undefined) return;
        const edited = {
          take: () => log.toSpliced(at, 1),
          double: () => log.toSpliced(at, 0, entry),
          swap: () => log.with(at, next).with((at + 1) % size, entry),
          // With a hash that fits its own text and a previous hash that fits too.
          forge: () => log.with(at, rehashed({ ...entry, action: "key.stolen" as AuditEntry["action"] })),
          cut: () => log.slice(0, at),
        }[how]();
        const { broken } = await verifyAuditLog(edited, { until: { number: size, hash: log.at(-1)?.hash ?? "" } });
        expect(broken).not.toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  test("that was written anew from some entry on is found by whoever kept a later position", async () => {
    const log = logOf(20);
    const rewritten = logOf(20, (number) => (number < 7 ? {} : { target_id: "another" }));
    expect(await verifyAuditLog(rewritten)).toMatchObject({ broken: null });
    const kept = { number: 20, hash: log[19]?.hash ?? "" };
    expect((await verifyAuditLog(rewritten, { until: kept })).broken?.fault).toBe("head_differs");
  });

  test("with lines that are no entries, or another organization's, is broken there", async () => {
    const log = logOf(3);
    let deep: unknown = "x";
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    for (const stranger of [null, 7, "x", [], {}, { ...log[1], number: "2" }, { ...log[1], number: 1.5 }])
      expect((await verifyAuditLog([log[0], stranger])).broken).toEqual({ number: 2, fault: "not_an_entry" });
    expect((await verifyAuditLog([{ ...log[0], details: deep }])).broken?.fault).toBe("hash_differs");
    const other = rehashed({ ...(log[1] as AuditEntry), organization_id: "org_2" });
    expect((await verifyAuditLog([log[0], other])).broken?.fault).toBe("another_organization");
    expect((await verifyAuditLog(log, { until: { number: 1_000, hash: "0" } })).broken?.fault).toBe("entries_missing");
  });

  test("of a later version, whose entries say more, is checked too", async () => {
    const log = logOf(3, () => ({ more: "than today" }) as Partial<AuditEntry>);
    expect((await verifyAuditLog(log)).broken).toBeNull();
  });
});
