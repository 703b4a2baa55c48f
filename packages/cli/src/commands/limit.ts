import type { Limit, LimitMetric } from "@gristmill/contract";
import { type Command, Option } from "commander";
import { formatCount, formatTime } from "../terminal/words.ts";
import { given, noun, type OpenSession, verb, wholeNumber, withLimit } from "./command.ts";
import { type NameOf, readNames } from "./names.ts";
import { checkSubject, type SubjectFlags, subjectOf, subjectText, withSubject } from "./subject.ts";

const words: Readonly<Record<LimitMetric, string>> = {
  requests_per_minute: "requests a minute",
  tokens_per_minute: "tokens a minute",
  concurrent_requests: "requests at once",
};

/** What people type, and what the API calls it. */
const metrics = {
  requests: "requests_per_minute",
  tokens: "tokens_per_minute",
  concurrent: "concurrent_requests",
} as const satisfies Record<string, LimitMetric>;
type MetricName = keyof typeof metrics;
const metricNames = Object.keys(metrics) as MetricName[];

const facts = (limit: Limit, nameOf: NameOf): [string, string][] => [
  ["id", limit.id],
  ["for", subjectText(limit.subject, nameOf)],
  ["at most", `${formatCount(limit.value)} ${words[limit.metric]}`],
  ["created", formatTime(limit.created_at)],
];

/** `gristmill limit` */
export function limitCommand(open: OpenSession): Command {
  const list = withLimit(
    verb("list", "List limits", ["gristmill limit list", "gristmill limit list --metric tokens"]).addOption(
      new Option("--metric <metric>", "of this kind alone").choices(metricNames),
    ),
  );
  list.action(async ({ limit: most, metric }: { limit: number; metric?: MetricName }) => {
    const connected = await open(list).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected, { keys: true });
    const which = given({ metric: metric === undefined ? undefined : metrics[metric] });
    output.list(
      await client.limits.list({ signal, ...which }).all(most),
      [{ head: "id" }, { head: "for" }, { head: "at most", align: "right" }, { head: "" }],
      ({ id, subject, value, metric: counted }) => [
        id,
        subjectText(subject, nameOf),
        formatCount(value),
        words[counted],
      ],
      "No limits. Make one: gristmill limit create 60 --metric requests --for-project default",
    );
  });

  const create = withSubject(
    verb("create <value>", "Limit a key, a project or the organization; it holds from the next request on", [
      "gristmill limit create 60 --metric requests --for-key key_01...",
      "gristmill limit create 100000 --metric tokens --for-project vision",
      "gristmill limit create 8 --metric concurrent --for-organization",
    ]).addOption(
      new Option("--metric <metric>", "requests or tokens a minute, or requests at once")
        .choices(metricNames)
        .makeOptionMandatory(),
    ),
  );
  create.action(async (text: string, flags: SubjectFlags & { metric: MetricName }) => {
    checkSubject(flags);
    const value = wholeNumber(1)(text);
    const connected = await open(create).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    const subject = await subjectOf(connected, flags);
    const limit = await client.limits.create({ subject, metric: metrics[flags.metric], value }, { signal });
    output.facts(limit, () => facts(limit, nameOf));
  });

  const update = verb("update <limit> <value>", "Raise or lower a limit; it holds from the next request on", [
    "gristmill limit update lim_01... 120",
  ]);
  update.action(async (id: string, text: string) => {
    const value = wholeNumber(1)(text);
    const connected = await open(update).connected();
    const { client, output, signal } = connected;
    const nameOf = await readNames(connected);
    const limit = await client.limits.update(id, { value }, { signal });
    output.facts(limit, () => facts(limit, nameOf));
  });

  const remove = verb("delete <limit>", "Delete a limit", ["gristmill limit delete lim_01..."]);
  remove.action(async (id: string) => {
    const { client, output, signal } = await open(remove).connected();
    await client.limits.delete(id, { signal });
    output.result(() => `Deleted ${id}.`, { id, deleted: true });
  });

  return noun("limit", "Limits: requests and tokens a minute, requests at once", list, create, update, remove);
}
