import type { ApiKey, CreateKey } from "@gristmill/contract";
import type { Command } from "commander";
import type { Paint } from "../terminal/paint.ts";
import { formatTime } from "../terminal/words.ts";
import { gather, noun, type OpenSession, verb, withLimit } from "./command.ts";

function stateOf(key: ApiKey, paint: Paint): string {
  if (key.revoked_at !== null) return paint("bad", `revoked ${formatTime(key.revoked_at)}`);
  if (key.expires_at === null) return paint("good", "valid");
  const isOver = Date.parse(key.expires_at) <= Date.now();
  return isOver
    ? paint("bad", `expired ${formatTime(key.expires_at)}`)
    : paint("good", `valid to ${formatTime(key.expires_at)}`);
}

const facts = (key: ApiKey, paint: Paint): [string, string][] => [
  ["name", key.name],
  ["id", key.id],
  ["begins with", key.prefix],
  ["state", stateOf(key, paint)],
  ["scopes", key.scopes.join(", ")],
  ["created", formatTime(key.created_at)],
  ["last used", key.last_used_at === null ? "never" : formatTime(key.last_used_at)],
];

/** `gristmill key` */
export function keyCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List the project's keys", ["gristmill key list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.keys.list({ signal }).all(limit),
      [{ head: "name" }, { head: "id" }, { head: "begins with" }, { head: "state" }, { head: "last used" }],
      (key) => [
        key.name,
        key.id,
        key.prefix,
        stateOf(key, output.out.paint),
        key.last_used_at === null ? "never" : formatTime(key.last_used_at),
      ],
      "No keys. Make one: gristmill key create NAME",
    );
  });

  const show = verb("show <id>", "Show a key (never the secret itself)", ["gristmill key show key_01..."]);
  show.action(async (id: string) => {
    const { client, output, signal } = await open(show).connected();
    const key = await client.keys.get(id, { signal });
    output.facts(key, () => facts(key, output.out.paint));
  });

  const create = verb("create <name>", "Make a key; it is shown this once", [
    "gristmill key create laptop",
    "gristmill key create robot --scope inference --expires 2027-01-01T00:00:00Z",
    "export GRISTMILL_KEY=$(gristmill key create ci --json | node -p 'JSON.parse(fs.readFileSync(0)).key')",
  ])
    .option(
      "--scope <scope>",
      "what the key may do; may be given several times (default: all but administration)",
      gather,
    )
    .option("--expires <time>", "when it ends, RFC 3339");
  create.action(async (name: string, options: { scope?: CreateKey["scopes"]; expires?: string }) => {
    const { client, output, signal } = await open(create).connected();
    const key = await client.keys.create(
      {
        name,
        ...(options.scope === undefined ? {} : { scopes: options.scope }),
        ...(options.expires === undefined ? {} : { expires_at: options.expires }),
      },
      { signal },
    );
    output.facts(key, () => [["key", output.out.paint("strong", key.key)], ...facts(key, output.out.paint)]);
    if (!output.json) output.note("Keep the key now: it is not shown again.");
  });

  const revoke = verb("revoke <id>", "Refuse a key from now on", ["gristmill key revoke key_01..."]).alias("delete");
  revoke.action(async (id: string) => {
    const { client, output, signal } = await open(revoke).connected();
    await client.keys.revoke(id, { signal });
    output.result(() => `Revoked ${id}.`, { id, revoked: true });
  });

  return noun("key", "API keys: named, scoped, revocable", list, show, create, revoke);
}
