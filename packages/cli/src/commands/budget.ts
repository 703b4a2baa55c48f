import { type Budget, type BudgetPeriod, budgetPeriods } from "@gristmill/contract";
import { type Command, Option } from "commander";
import { UsageError } from "../failure.ts";
import type { Paint } from "../terminal/paint.ts";
import { table } from "../terminal/table.ts";
import { formatDecimal, formatTime } from "../terminal/words.ts";
import { budgetGauge, gauge, percentText } from "./budget-gauge.ts";
import { commaSeparated, gather, given, noun, type OpenSession, verb, withLimit } from "./command.ts";
import { type NameOf, readNames } from "./names.ts";
import { checkSubject, type SubjectFlags, subjectOf, subjectText, withSubject } from "./subject.ts";

interface BudgetFlags {
  readonly amount?: string;
  readonly name?: string;
  readonly hard?: boolean;
  readonly soft?: boolean;
  readonly thresholds?: readonly string[];
  readonly email?: readonly string[];
  readonly webhook?: readonly string[];
}

const money = (amount: string, currency: string): string => `${formatDecimal(amount)} ${currency}`;

const periodOf = ({ period, period_start, period_end }: Budget): string =>
  period_start === null || period_end === null
    ? period
    : `${period}, ${formatTime(period_start).slice(0, 10)} to ${formatTime(period_end).slice(0, 10)}`;

const facts = (budget: Budget, nameOf: NameOf): [string, string][] => [
  ["name", budget.name],
  ["id", budget.id],
  ["for", subjectText(budget.subject, nameOf)],
  ["period", periodOf(budget)],
  ["amount", money(budget.amount, budget.currency)],
  ["spent", money(budget.spent, budget.currency)],
  ["reserved", money(budget.reserved, budget.currency)],
  ["remaining", money(budget.remaining, budget.currency)],
  ["at the limit", budget.hard ? "work stops" : "you are told, work goes on"],
  ["tells", [...budget.notify.emails, ...budget.notify.webhooks].join(", ") || "nobody"],
];

/** A budget with its gauge and what was told. Pure. */
export function alertsText({ alerts, currency }: Budget, paint: Paint): string {
  if (alerts.length === 0) return "";
  const rows = alerts.map(({ threshold, amount, reached_at, deliveries }) => [
    formatTime(reached_at),
    `${threshold} %`,
    money(amount, currency),
    deliveries
      .map(({ recipient, status }) => paint(status === "failed" ? "bad" : "faint", `${recipient} ${status}`))
      .join(", ") || "nobody",
  ]);
  return table(
    [{ head: "reached" }, { head: "threshold", align: "right" }, { head: "at" }, { head: "told" }],
    rows,
    paint,
  );
}

const withSettings = (command: Command): Command =>
  command
    .option("--hard", "refuse what would go beyond it")
    .option("--thresholds <percents>", "when to tell, comma-separated (default: 50,80,100)", commaSeparated)
    .option("--email <address>", "whom to tell; may be given several times", gather)
    .option("--webhook <id>", "which webhook to tell; may be given several times", gather);

/** What the settings say; the server checks the values. */
function settingsOf({ hard, soft, thresholds, email, webhook }: BudgetFlags) {
  if (hard === true && soft === true)
    throw new UsageError("cli.contradiction", "--hard and --soft exclude each other.", "Give one of them.");
  const notify = given({
    emails: email === undefined ? undefined : [...email],
    webhooks: webhook === undefined ? undefined : [...webhook],
  });
  return {
    ...given({ hard: hard === true ? true : soft === true ? false : undefined }),
    ...(thresholds === undefined ? {} : { thresholds: thresholds.map(Number) }),
    ...(Object.keys(notify).length === 0 ? {} : { notify }),
  };
}

/** `gristmill budget` */
export function budgetCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List budgets, and how much of each is spent", ["gristmill budget list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const connected = await open(list).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected, { keys: true });
    const { paint } = output.out;
    output.list(
      await client.budgets.list({ signal }).all(limit),
      [
        { head: "name" },
        { head: "id" },
        { head: "for" },
        { head: "each" },
        { head: "" },
        { head: "spent", align: "right" },
        { head: "of", align: "right" },
        { head: "" },
        { head: "at the limit" },
      ],
      (budget) => [
        budget.name,
        budget.id,
        subjectText(budget.subject, nameOf),
        budget.period,
        gauge(budget, 16, paint),
        formatDecimal(budget.spent),
        formatDecimal(budget.amount),
        percentText(budget.spent, budget.amount),
        budget.hard ? "stops" : "tells",
      ],
      "No budgets. Make one: gristmill budget create --help",
    );
  });

  const show = verb("show <budget>", "Show a budget, how full it is, and who was told", [
    "gristmill budget show bud_01...",
  ]);
  show.action(async (id: string) => {
    const connected = await open(show).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected, { keys: true });
    const budget = await client.budgets.get(id, { signal });
    output.facts(budget, () => facts(budget, nameOf));
    const { paint, columns } = output.out;
    if (!output.json)
      output.result(() => ["", budgetGauge(budget, columns, paint), alertsText(budget, paint)].join("\n").trimEnd());
  });

  const create = withSubject(
    withSettings(
      verb("create <name> <amount>", "Make a budget; what the period has spent so far counts", [
        "gristmill budget create vision 250 --period month --for-project vision --email ada@example.com",
        "gristmill budget create ci 5 --period day --for-key key_01... --hard",
        "gristmill budget create all 1000 --for-organization --thresholds 50,90,100 --webhook whk_01...",
      ]).addOption(new Option("--period <period>", "how long it is for").choices(budgetPeriods).default("month")),
    ),
  );
  create.action(async (name: string, amount: string, flags: BudgetFlags & SubjectFlags & { period: BudgetPeriod }) => {
    checkSubject(flags);
    const settings = settingsOf(flags);
    const connected = await open(create).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    const subject = await subjectOf(connected, flags);
    const { notify, ...rest } = settings;
    const told = notify === undefined ? {} : { notify: { emails: [], webhooks: [], ...notify } };
    const budget = await client.budgets.create(
      { name, amount, subject, period: flags.period, ...rest, ...told },
      { signal },
    );
    output.facts(budget, () => facts(budget, nameOf));
  });

  const update = withSettings(
    verb("update <budget>", "Raise or lower a budget, or change whom it tells", [
      "gristmill budget update bud_01... --amount 400",
      "gristmill budget update bud_01... --soft",
    ])
      .option("--amount <amount>", "how much may be spent in a period")
      .option("--name <name>", "its new name"),
  ).option("--soft", "only tell, and let work go on");
  update.action(async (id: string, flags: BudgetFlags) => {
    const { amount, name } = flags;
    const body = { ...given({ amount, name }), ...settingsOf(flags) };
    if (Object.keys(body).length === 0)
      throw new UsageError("cli.nothing_to_change", "Nothing to change.", "Give --amount, or see --help.");
    const connected = await open(update).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    const budget = await client.budgets.update(id, body, { signal });
    output.facts(budget, () => facts(budget, nameOf));
  });

  const remove = verb("delete <budget>", "Delete a budget", ["gristmill budget delete bud_01..."]);
  remove.action(async (id: string) => {
    const { client, output, signal } = await open(remove).connected();
    await client.budgets.delete(id, { signal });
    output.result(() => `Deleted ${id}.`, { id, deleted: true });
  });

  return noun(
    "budget",
    "Budgets: how much may be spent, who is told, when work stops",
    list,
    show,
    create,
    update,
    remove,
  );
}
