import type { ApiKey, CreateKey } from "@gristmill/contract";
import type { Command } from "commander";
import { UsageError } from "../failure.ts";
import type { Paint } from "../terminal/paint.ts";
import { formatTime } from "../terminal/words.ts";
import { commaSeparated, gather, given, noun, type OpenSession, verb, wholeNumber, withLimit } from "./command.ts";
import { time } from "./times.ts";

interface KeyFlags {
  readonly name?: string;
  readonly scope?: NonNullable<CreateKey["scopes"]>;
  readonly models?: readonly string[];
  readonly expires?: string;
  readonly serviceAccount?: string;
}

function stateOf(key: ApiKey, paint: Paint): string {
  if (key.revoked_at !== null) return paint("bad", `revoked ${formatTime(key.revoked_at)}`);
  if (key.expires_at === null) return paint("good", "valid");
  const isOver = Date.parse(key.expires_at) <= Date.now();
  return isOver
    ? paint("bad", `expired ${formatTime(key.expires_at)}`)
    : paint("good", `valid to ${formatTime(key.expires_at)}`);
}

const timeOr = (time: string | null, none: string): string => (time === null ? none : formatTime(time));

const facts = (key: ApiKey, paint: Paint): [string, string][] => [
  ["name", key.name],
  ["id", key.id],
  ["begins with", key.prefix],
  ["state", stateOf(key, paint)],
  ["scopes", key.scopes.join(", ")],
  ["models", key.models?.join(", ") ?? "all"],
  ["belongs to", key.service_account_id ?? key.user_id ?? "the operator"],
  ["created", formatTime(key.created_at)],
  ["last used", timeOr(key.last_used_at, "never")],
  ...(key.rotated_at === null ? [] : [["rotated", formatTime(key.rotated_at)] as [string, string]]),
  ...(key.grace_ends_at === null
    ? []
    : [["old secret", `goes on to ${formatTime(key.grace_ends_at)}`] as [string, string]]),
];

const withSettings = (command: Command): Command =>
  command
    .option("--scope <scope>", "what the key may do; may be given several times", gather)
    .option("--models <names>", "deployments that it may use, comma-separated", commaSeparated)
    .option("--expires <time>", "when it ends: 2027-01-01, RFC 3339, or +30d from now", time);

/** `gristmill key` */
export function keyCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List the project's keys", ["gristmill key list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.keys.list({ signal }).all(limit),
      [{ head: "name" }, { head: "id" }, { head: "begins with" }, { head: "state" }, { head: "last used" }],
      (key) => [key.name, key.id, key.prefix, stateOf(key, output.out.paint), timeOr(key.last_used_at, "never")],
      "No keys. Make one: gristmill key create NAME",
    );
  });

  const show = verb("show <id>", "Show a key (never the secret itself)", ["gristmill key show key_01..."]);
  show.action(async (id: string) => {
    const { client, output, signal } = await open(show).connected();
    const key = await client.keys.get(id, { signal });
    output.facts(key, () => facts(key, output.out.paint));
  });

  const create = withSettings(
    verb("create <name>", "Make a key; it is shown this once", [
      "gristmill key create laptop",
      "gristmill key create robot --scope inference --models digits --expires +30d",
      "gristmill key create ci --service-account ci",
      "export GRISTMILL_KEY=$(gristmill key create ci --json | node -p 'JSON.parse(fs.readFileSync(0)).key')",
    ]),
  ).option("--service-account <account>", "name or id of the account that it belongs to");
  create.action(async (name: string, { scope, models, expires, serviceAccount }: KeyFlags) => {
    const { client, output, signal } = await open(create).connected();
    const settings = given({ scopes: scope, expires_at: expires, service_account: serviceAccount });
    const allowed = models === undefined ? {} : { models: [...models] };
    const key = await client.keys.create({ name, ...settings, ...allowed }, { signal });
    output.facts(key, () => [["key", output.out.paint("strong", key.key)], ...facts(key, output.out.paint)]);
    if (!output.json) output.note("Keep the key now: it is not shown again.");
  });

  const update = withSettings(
    verb("update <id>", "Rename a key, or change what it may do", [
      "gristmill key update key_01... --models digits,letters",
      "gristmill key update key_01... --all-models --expires 2027-06-01",
    ]).option("--name <name>", "its new name"),
  )
    .option("--all-models", "no list of deployments any more")
    .option("--no-expiry", "it does not end any more");
  update.action(async (id: string, flags: KeyFlags & { allModels?: boolean; expiry: boolean }) => {
    const { name, scope, models, expires, allModels, expiry } = flags;
    const body = {
      ...given({ name, scopes: scope, expires_at: expires }),
      ...(models === undefined ? {} : { models: [...models] }),
      ...(allModels === true ? { models: null } : {}),
      ...(expiry ? {} : { expires_at: null }),
    };
    if (Object.keys(body).length === 0)
      throw new UsageError("cli.nothing_to_change", "Nothing to change.", "See --help for what can be changed.");
    const { client, output, signal } = await open(update).connected();
    const key = await client.keys.update(id, body, { signal });
    output.facts(key, () => facts(key, output.out.paint));
  });

  const rotate = verb("rotate <id>", "Make a new secret for a key; it is shown this once", [
    "gristmill key rotate key_01...",
    "gristmill key rotate key_01... --grace 3600",
  ]).option(
    "--grace <seconds>",
    "how long the old secret goes on (default: 0; a week at most)",
    wholeNumber(0, 604_800),
  );
  rotate.action(async (id: string, { grace }: { grace?: number }) => {
    const { client, output, signal } = await open(rotate).connected();
    const key = await client.keys.rotate(id, given({ grace_seconds: grace }), { signal });
    output.facts(key, () => [["key", output.out.paint("strong", key.key)], ...facts(key, output.out.paint)]);
    if (!output.json) output.note("Keep the key now: it is not shown again.");
  });

  const revoke = verb("revoke <id>", "Refuse a key from now on", ["gristmill key revoke key_01..."]).alias("delete");
  revoke.action(async (id: string) => {
    const { client, output, signal } = await open(revoke).connected();
    await client.keys.revoke(id, { signal });
    output.result(() => `Revoked ${id}.`, { id, revoked: true });
  });

  return noun("key", "API keys: named, scoped, rotated, revocable", list, show, create, update, rotate, revoke);
}
