import type { UpdateWebhook, Webhook, WebhookDelivery } from "@gristmill/contract";
import type { Command } from "commander";
import { UsageError } from "../failure.ts";
import type { Paint } from "../terminal/paint.ts";
import { formatTime } from "../terminal/words.ts";
import { given, noun, type OpenSession, verb, withLimit } from "./command.ts";

const stateOf = ({ enabled, disabled_reason }: Webhook, paint: Paint): string =>
  enabled ? paint("good", "on") : paint("bad", `off${disabled_reason === null ? "" : `: ${disabled_reason}`}`);

const facts = (webhook: Webhook & { readonly secret?: string }, paint: Paint): [string, string][] => [
  ...(webhook.secret === undefined ? [] : [["secret", paint("strong", webhook.secret)] as [string, string]]),
  ["name", webhook.name],
  ["id", webhook.id],
  ["url", webhook.url],
  ["state", stateOf(webhook, paint)],
  ["secret of", formatTime(webhook.secret_created_at)],
  ["created", formatTime(webhook.created_at)],
];

const looks = { pending: "accent", delivered: "good", failed: "bad" } as const;

const deliveryRow = (delivery: WebhookDelivery, paint: Paint): string[] => [
  formatTime(delivery.created_at),
  delivery.event_type,
  paint(looks[delivery.status], delivery.status),
  `${delivery.attempts}`,
  delivery.last_error ?? (delivery.last_status === null ? "–" : `${delivery.last_status}`),
  delivery.next_attempt_at === null ? "–" : formatTime(delivery.next_attempt_at),
];

/** `gristmill webhook` */
export function webhookCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List webhooks", ["gristmill webhook list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.webhooks.list({ signal }).all(limit),
      [{ head: "name" }, { head: "id" }, { head: "url" }, { head: "state" }],
      (webhook) => [webhook.name, webhook.id, webhook.url, stateOf(webhook, output.out.paint)],
      "No webhooks. Make one: gristmill webhook create NAME https://...",
    );
  });

  const show = verb("show <webhook>", "Show a webhook (never the secret itself)", ["gristmill webhook show whk_01..."]);
  show.action(async (id: string) => {
    const { client, output, signal } = await open(show).connected();
    const webhook = await client.webhooks.get(id, { signal });
    output.facts(webhook, () => facts(webhook, output.out.paint));
  });

  const create = verb("create <name> <url>", "Make a webhook; the secret that signs its messages is shown this once", [
    "gristmill webhook create accounting https://example.com/hooks/gristmill",
  ]);
  create.action(async (name: string, url: string) => {
    const { client, output, signal } = await open(create).connected();
    const webhook = await client.webhooks.create({ name, url }, { signal });
    output.facts(webhook, () => facts(webhook, output.out.paint));
    if (!output.json) output.note("Keep the secret now: it is not shown again.");
  });

  const update = verb("update <webhook>", "Change a webhook, switch it on or off, or make a new secret", [
    "gristmill webhook update whk_01... --url https://example.com/new",
    "gristmill webhook update whk_01... --rotate",
  ])
    .option("--name <name>", "its new name")
    .option("--url <url>", "where to send")
    .option("--on", "send again")
    .option("--off", "send nothing")
    .option("--rotate", "make a new secret; the old one signs too for a day");
  update.action(
    async (id: string, flags: { name?: string; url?: string; on?: boolean; off?: boolean; rotate?: boolean }) => {
      const { name, url, on, off, rotate } = flags;
      if (on === true && off === true)
        throw new UsageError("cli.contradiction", "--on and --off exclude each other.", "Give one of them.");
      const body: UpdateWebhook = {
        ...given({ name, url, enabled: on === true ? true : off === true ? false : undefined }),
        ...(rotate === true ? { rotate_secret: true as const } : {}),
      };
      if (Object.keys(body).length === 0)
        throw new UsageError("cli.nothing_to_change", "Nothing to change.", "See --help for what can be changed.");
      const { client, output, signal } = await open(update).connected();
      const webhook = await client.webhooks.update(id, body, { signal });
      output.facts(webhook, () => facts(webhook, output.out.paint));
      if (rotate === true && !output.json) output.note("Keep the secret now: it is not shown again.");
    },
  );

  const test = verb("test <webhook>", "Send a test message", ["gristmill webhook test whk_01..."]);
  test.action(async (id: string) => {
    const { client, output, signal } = await open(test).connected();
    const sent = await client.webhooks.test(id, { signal });
    output.result(() => `Sent a test message; what came of it: gristmill webhook deliveries ${id}`, sent);
  });

  const deliveries = withLimit(
    verb("deliveries <webhook>", "Show what was sent, and what came of it", ["gristmill webhook deliveries whk_01..."]),
  );
  deliveries.action(async (id: string, { limit }: { limit: number }) => {
    const { client, output, signal } = await open(deliveries).connected();
    output.list(
      await client.webhooks.deliveries(id, { signal }).all(limit),
      [
        { head: "time" },
        { head: "message" },
        { head: "status" },
        { head: "attempts", align: "right" },
        { head: "last answer" },
        { head: "next attempt" },
      ],
      (delivery) => deliveryRow(delivery, output.out.paint),
      "Nothing was sent.",
    );
  });

  const remove = verb("delete <webhook>", "Delete a webhook", ["gristmill webhook delete whk_01..."]);
  remove.action(async (id: string) => {
    const { client, output, signal } = await open(remove).connected();
    await client.webhooks.delete(id, { signal });
    output.result(() => `Deleted ${id}.`, { id, deleted: true });
  });

  const description = "Webhooks: where the platform tells what happens, signed";
  return noun("webhook", description, list, show, create, update, test, deliveries, remove);
}
