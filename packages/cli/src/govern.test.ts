/** The commands of organizations, money and the ledger, against a real platform. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Gristmill, type NewPrice } from "@gristmill/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gristmill, type Outcome } from "./testing/gristmill.ts";
import { makePlace, type Place } from "./testing/place.ts";

const minutes = 60_000;
const patience = { timeout: minutes, interval: 500 };
let place: Place;
let admin: Gristmill;

beforeAll(async () => {
  place = await makePlace();
  const up = await gristmill(["up", "--detach", "--json"], place.env);
  expect(up, up.stderr).toMatchObject({ code: 0 });
  const { url } = JSON.parse(up.stdout) as { url: string };
  const apiKey = (await readFile(join(place.env.GRISTMILL_HOME, "admin-key"), "utf8")).trim();
  admin = new Gristmill({ baseUrl: url, apiKey });
}, 2 * minutes);
afterAll(() => place.leave(), minutes);

const call = (...args: string[]): Promise<Outcome> => gristmill(args, place.env);
/** Runs a command that must go well; gives its first line of JSON. */
async function json<T = Record<string, string>>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await call(...args, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout.split("\n")[0] ?? "") as T;
}

describe("who", { timeout: 2 * minutes }, () => {
  it("a project is renamed, archived with its keys, and taken back", async () => {
    const { id, key } = await (async () => {
      await json("project", "create", "old");
      return json("--project", "old", "key", "create", "k");
    })();
    const { name } = await json("project", "update", "old", "--name", "new", "--description", "What it is for");
    expect(name).toBe("new");
    expect((await call("project", "archive", "new")).stdout).toContain("back: gristmill project update new --restore");
    expect((await call("run", "list", "--key", key ?? "")).stderr).toContain("project.archived");
    expect((await call("project", "list")).stdout).toMatch(/new +prj_\w+ +archived/);
    await json("project", "update", "new", "--restore");
    expect(await call("run", "list", "--key", key ?? "")).toMatchObject({ code: 0 });
    expect((await call("--project", "new", "key", "show", id ?? "")).stdout).toMatch(/belongs to +the operator/);
  });

  it("a service account that is disabled takes its keys with it, and back", async () => {
    const { id } = await json("service-account", "create", "robot", "--role", "developer", "--in", "default");
    const { key } = await json("key", "create", "of-robot", "--service-account", "robot");
    expect(await call("run", "list", "--key", key ?? "")).toMatchObject({ code: 0 });
    expect((await call("service-account", "update", id ?? "", "--disable")).stdout).toMatch(/state +disabled/);
    expect((await call("run", "list", "--key", key ?? "")).stderr).toContain("auth.invalid");
    await json("service-account", "update", id ?? "", "--enable");
    expect(await call("run", "list", "--key", key ?? "")).toMatchObject({ code: 0 });
    expect((await call("service-account", "list")).stdout).toMatch(/robot +sva_\w+ +developer in default +active/);
    await json("service-account", "delete", id ?? "");
    expect((await call("run", "list", "--key", key ?? "")).stderr).toContain("auth.invalid");
  });

  it("a rotated key has a new secret at once, and the old one as long as it is said", async () => {
    const first = await json("key", "create", "turning", "--models", "a,b");
    const second = await json("key", "rotate", first["id"] ?? "", "--grace", "600");
    expect(second["id"]).toBe(first["id"]);
    for (const { key } of [first, second])
      expect(await call("run", "list", "--key", key ?? "")).toMatchObject({ code: 0 });
    const third = await json("key", "rotate", first["id"] ?? "");
    expect((await call("run", "list", "--key", second["key"] ?? "")).stderr).toContain("auth.invalid");
    expect(await call("run", "list", "--key", third["key"] ?? "")).toMatchObject({ code: 0 });
    const changed = await call("key", "update", first["id"] ?? "", "--all-models", "--name", "turned");
    expect(changed.stdout).toMatch(/models +all/);
    await json("key", "revoke", first["id"] ?? "");
    expect((await call("key", "rotate", first["id"] ?? "")).stderr).toContain("key.revoked");
  });

  it("a person joins, acts as themselves until logout, and their session is theirs alone to read", async () => {
    const password = "correct horse battery staple";
    const env = { ...place.env, GRISTMILL_PASSWORD: password };
    await json("org", "create", "acme", "--display-name", "Acme");
    const { token } = await json("--organization", "acme", "member", "invite", "ada@example.com", "--role", "owner");
    const joined = await gristmill(["member", "join", token ?? "", "--name", "Ada", "--json"], env);
    expect(joined, joined.stderr).toMatchObject({ code: 0 });
    expect(joined.stdout).not.toContain("csrf");
    const file = join(place.env.GRISTMILL_HOME, "session.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).not.toContain(password);
    expect((await call("org", "list")).stdout).toMatch(/acme +Acme/);
    expect((await call("org", "list")).stdout).not.toContain("default");
    const [ada] = (await call("member", "list", "--json")).stdout.split("\n");
    const { id } = JSON.parse(ada ?? "") as { id: string };
    expect((await call("member", "update", id, "--role", "viewer")).stderr).toContain("member.last_owner");
    expect((await call("org", "update", "acme", "--display-name", "")).stdout).toMatch(/shown as +–/);
    expect((await call("logout")).stdout).toBe("Signed ada@example.com out.\n");
    expect((await call("org", "list")).stdout).toContain("default");

    const wrong = await gristmill(["login", "ada@example.com"], { ...env, GRISTMILL_PASSWORD: "wrong horse battery" });
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toContain("auth.sign_in_failed");
    // Denials are counted together, and written a little later.
    await expect
      .poll(async () => (await call("audit", "denied")).stdout, patience)
      .toMatch(/POST \/api\/sessions +auth\.sign_in_failed +1/);
    expect((await gristmill(["login", "ada@example.com"], env)).stdout).toMatch(/signed in +Ada \(ada@example\.com\)/);
    const saved = JSON.parse(await readFile(file, "utf8")) as { url: string; cookie: string; csrfToken: string };
    const elsewhere = new Gristmill({ baseUrl: saved.url, session: saved });
    await elsewhere.sessions.signOut();
    const ended = await call("project", "list");
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toContain("The session of ada@example.com has ended.");
    expect(ended.stderr).toContain("gristmill login ada@example.com");
    expect((await call("logout", "--json")).stdout).toBe('{"signed_out":true}\n');
  });

  it("no password at all is a wrong command line", async () => {
    const { code, stderr } = await call("login", "nobody@example.com");
    expect([code, stderr.includes("GRISTMILL_PASSWORD")]).toEqual([2, true]);
  });
});

describe("how much", { timeout: 4 * minutes }, () => {
  it("limits and budgets are made, seen by name, changed and deleted", async () => {
    const { id } = await json("limit", "create", "600", "--metric", "tokens", "--for-project", "default");
    expect((await call("limit", "update", id ?? "", "700")).stdout).toMatch(/at most +700 tokens a minute/);
    expect((await call("limit", "list", "--metric", "tokens")).stdout).toMatch(/project default +700 +tokens a minute/);
    expect((await call("limit", "create", "1", "--metric", "tokens", "--for-project", "default")).stderr).toContain(
      "limit.conflict",
    );
    await json("limit", "delete", id ?? "");
    expect((await call("limit", "list")).stdout).toContain("No limits");

    const settings = ["--thresholds", "50,90", "--email", "ada@example.com"];
    const budget = await json("budget", "create", "soft", "100", "--for-organization", "--period", "day", ...settings);
    const shown = await call("budget", "show", budget["id"] ?? "");
    expect(shown.stdout).toMatch(/for +organization/);
    expect(shown.stdout).toMatch(/░{20,} {2}0\.0 %\n +▲50 +▲90/);
    expect((await call("budget", "update", budget["id"] ?? "", "--amount", "250", "--hard")).stdout).toMatch(
      /amount +250 USD.*at the limit +work stops/s,
    );
    expect((await call("budget", "list")).stdout).toMatch(
      /soft +bud_\w+ +organization +day +░+ +0 +250 +0\.0 % +stops/,
    );
    await json("budget", "delete", budget["id"] ?? "");
  });

  it("a webhook is made with its secret, tested, and its failures are shown; private addresses are refused", async () => {
    expect((await call("webhook", "create", "inside", "https://127.0.0.1/hook")).stderr).toContain("url.forbidden");
    const made = await json("webhook", "create", "books", "https://hooks.invalid/books");
    expect(made["secret"]).toMatch(/^whsec_/);
    const id = made["id"] ?? "";
    expect((await call("webhook", "show", id)).stdout).not.toContain("whsec_");
    expect((await call("webhook", "update", id, "--rotate", "--name", "accounting")).stdout).toContain("whsec_");
    expect((await call("webhook", "list")).stdout).toMatch(/accounting +whk_\w+ +https:\/\/hooks\.invalid\/books +on/);
    expect(await call("webhook", "test", id)).toMatchObject({ code: 0 });
    await expect
      .poll(async () => (await call("webhook", "deliveries", id)).stdout, patience)
      .toMatch(/webhook\.test +(pending|failed) +[1-9]/);
    await json("webhook", "delete", id);
  });

  it("what is set aside is inspected and discarded; events of a list are sent; broken files are named by line", async () => {
    const folder = place.env.GRISTMILL_HOME;
    await writeFile(
      join(folder, "list.json"),
      JSON.stringify([{ id: "1", source: "s", type: "nothing.counts" }], null, 2),
    );
    const sent = await call("event", "send", "--file", join(folder, "list.json"));
    expect(sent).toMatchObject({ code: 1 });
    const { id } = await json("event", "quarantine", "--code", "meter.unknown");
    expect((await call("event", "inspect", id ?? "")).stdout).toContain('"type": "nothing.counts"');
    await json("event", "discard", id ?? "", "--reason", "a test");
    expect((await call("event", "quarantine")).stdout).toContain("Nothing is set aside.");
    expect((await call("event", "quarantine", "--status", "discarded")).stdout).toContain(id ?? "-");

    await writeFile(join(folder, "broken.jsonl"), '{"id": "1", "source": "s", "type": "t"}\n{"id": \n');
    const broken = await call("event", "send", "--file", join(folder, "broken.jsonl"));
    expect(broken.stderr).toMatch(/broken\.jsonl, line 2: expected JSON/);
    expect((await call("event", "send", "--file", "/nonexistent")).stderr).toContain("cli.unreadable_file");
  });

  it("a bill by every charge model, with free use, bounds and corrections, is proven on this side of the wire", async () => {
    const tiers = [
      { up_to: "10", unit: "0.5", flat: "0" },
      { up_to: "50.5", unit: "0.3", flat: "2" },
      { up_to: null, unit: "0.123456789", flat: "0" },
    ];
    const charges: Readonly<Record<string, Omit<NewPrice, "meter">>> = {
      each: { amount: "0.000333" },
      each_free: { amount: "0.7", free: "12.5", maximum: "20" },
      flat: { charge: { type: "flat", amount: "0.07" } },
      flat_free: { charge: { type: "flat", amount: "0.07" }, free: "3", minimum: "5" },
      package: { charge: { type: "package", size: "7", amount: "1.1" }, free: "2" },
      graduated: { charge: { type: "graduated", tiers } },
      graduated_free: { charge: { type: "graduated", tiers }, free: "4.25", minimum: "1" },
      volume: { charge: { type: "volume", tiers } },
      percentage: { charge: { type: "percentage", rate: "0.029", fixed: "0.3" }, maximum: "100" },
    };
    for (const [name, price] of Object.entries(charges)) {
      const more = { aggregation: "sum", value_property: "$.n", event_type: `test.${name}` } as const;
      await admin.meters.create({ name: `proof.${name}`, ...more });
      await admin.prices.create({ meter: `proof.${name}`, ...price });
    }
    const events = Object.keys(charges).flatMap((name) =>
      Array.from({ length: 23 }, (_, i) => ({
        id: `${name}-${i}`,
        source: "proof",
        type: `test.${name}`,
        data: { n: i + 0.37 },
      })),
    );
    expect(await admin.events.sendBatch(events)).toMatchObject({ accepted: events.length, quarantined: [] });
    for (const name of Object.keys(charges)) {
      await admin.corrections.create({ source: "proof", id: `${name}-22`, reason: "twice" });
      await admin.corrections.create({ source: "proof", id: `${name}-21`, reason: "less", quantity: "0.5" });
    }
    const { code, stdout, stderr } = await call("usage", "prove");
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain("✓ 225 entries of the ledger add up to the bill's 9 lines.");
    const proof = await json<{ proven: boolean; lines: readonly { found: { amount: string } }[] }>("usage", "prove");
    expect(proof.proven).toBe(true);
    expect(new Set(proof.lines.map(({ found }) => found.amount)).size).toBeGreaterThan(6);

    const lines = await call("usage", "lines");
    expect(lines.stdout).toMatch(/proof\.volume +\d/);
    const chart = await call("usage", "chart", "--by", "meter", "--from", "1d");
    expect(chart.stdout).toMatch(/proof\.\w+ +█+/);
    expect((await call("usage", "chart", "--by", "project")).stdout).toMatch(/^ {2}default +█+/m);
    const exported = join(place.env.GRISTMILL_HOME, "usage.parquet");
    expect((await call("usage", "export", exported)).stdout).toContain("(parquet)");
    expect((await readFile(exported)).subarray(0, 4).toString()).toBe("PAR1");
    const piped = await call("usage", "export", "--format", "jsonl");
    expect(piped.stdout.trimEnd().split("\n")).toHaveLength(225);
  });
});

it("the audit log is exported, verified here and there, and a changed line is found", {
  timeout: minutes,
}, async () => {
  const file = join(place.env.GRISTMILL_HOME, "audit.jsonl");
  await json("audit", "export", file);
  const report = await json<{ entries: number; head: { number: number; hash: string } }>("audit", "verify", file);
  const kept = `${report.head.number}:${report.head.hash}`;
  expect(report.entries).toBeGreaterThan(20);
  expect(await call("audit", "verify", "--kept", kept)).toMatchObject({ code: 0 });
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  await writeFile(file, `${lines.slice(0, -1).join("\n")}\n`);
  const cut = await call("audit", "verify", file, "--kept", kept);
  expect(cut).toMatchObject({ code: 1, stdout: "" });
  expect(cut.stderr).toContain("entries are missing at the end");
  await writeFile(file, `${lines.join("\n").replace("admin_key", "anonymous")}\n`);
  expect((await call("audit", "verify", file)).stderr).toContain("✗ Entry 1: the entry is not as it was written");
  const listed = await call("audit", "list", "--action", "api_key.rotated", "--outcome", "failed");
  expect(listed.stdout).toMatch(/api_key\.rotated +admin_key +\S+ +key\.revoked/);
});
