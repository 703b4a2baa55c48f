import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditEntryText, chainStart } from "@gristmill/contract";
import { expect, it, onTestFinished } from "vitest";
import { Gristmill } from "../client.ts";
import { serve } from "../testing/serve.ts";
import { verifyAuditExport } from "./audit.ts";

const hashOf = (entry: object): string => createHash("sha256").update(auditEntryText(entry)).digest("hex");

/** Lines of a log with so many entries. */
function log(count: number): string[] {
  let previous = chainStart.hash;
  return Array.from({ length: count }, (_, i) => {
    const entry = {
      organization_id: "org_1",
      number: i + 1,
      previous_hash: previous,
      action: "api_key.created",
      at: `${i}`,
    };
    previous = hashOf(entry);
    return JSON.stringify({ ...entry, hash: previous });
  });
}

async function file(lines: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gristmill-sdk-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "audit.jsonl"), `${lines.join("\n")}\n`);
  return join(folder, "audit.jsonl");
}

it("an export is verified on this machine, as a file and as the server's stream", async () => {
  const lines = log(600);
  const whole = await verifyAuditExport(await file(lines));
  expect(whole).toMatchObject({ entries: 600, head: { number: 600 }, broken: null });
  const { baseUrl } = await serve((_, response) => response.end(lines.join("\n")));
  const stream = await new Gristmill({ baseUrl, apiKey: "k" }).auditLog.export();
  expect(await verifyAuditExport(stream)).toEqual(whole);
});

it("a changed, a missing and an unreadable line are each found at their number", async () => {
  const lines = log(5);
  const broken = async (changed: readonly string[]) => (await verifyAuditExport(await file(changed))).broken;
  expect(await broken(lines.with(2, (lines[2] ?? "").replace("created", "deleted")))).toEqual({
    number: 3,
    fault: "hash_differs",
  });
  expect(await broken(lines.toSpliced(3, 1))).toEqual({ number: 4, fault: "number_out_of_order" });
  expect(await broken(lines.with(0, "{"))).toEqual({ number: 1, fault: "not_an_entry" });
});

it("an end that was cut off is found by the entry that was kept", async () => {
  const lines = log(5);
  const { head } = await verifyAuditExport(await file(lines));
  const cut = await verifyAuditExport(await file(lines.slice(0, 4)), { until: head });
  expect(cut.broken).toEqual({ number: 5, fault: "entries_missing" });
  const { head: third } = await verifyAuditExport(await file(lines.slice(0, 3)));
  expect(await verifyAuditExport(await file(lines.slice(3)), { from: third })).toMatchObject({
    entries: 2,
    broken: null,
  });
});

it("a file that can't be read, and a stream that breaks off, are failures and no short logs", async () => {
  await expect(verifyAuditExport("/nonexistent/audit.jsonl")).rejects.toThrow("ENOENT");
  const { baseUrl } = await serve((_, response) => {
    response.writeHead(200, { "content-length": "99999" }).write(`${log(2).join("\n")}\n`);
    setTimeout(() => response.destroy(), 20);
  });
  const stream = await new Gristmill({ baseUrl, apiKey: "k" }).auditLog.export();
  await expect(verifyAuditExport(stream)).rejects.toThrow();
});
