import {
  type Aggregation,
  aggregations,
  type MeterDefinition,
  type MeterReport,
  windowUnits,
} from "@gristmill/contract";
import { type Command, Option } from "commander";
import { type ChartLine, chart } from "../terminal/bars.ts";
import type { Paint } from "../terminal/paint.ts";
import { formatDecimal, formatTime } from "../terminal/words.ts";
import {
  commaSeparated,
  gather,
  given,
  noun,
  type OpenSession,
  type SpanFlags,
  verb,
  withLimit,
  withSpan,
} from "./command.ts";
import { namedValues } from "./named-values.ts";

const countsOf = ({ event_type, aggregation, value_property }: MeterDefinition): string =>
  event_type === null ? "our own work" : `${aggregation.replace("_", " ")} of ${value_property ?? event_type}`;

const facts = (meter: MeterDefinition): [string, string][] => [
  ["name", meter.name],
  ["id", meter.id],
  ["counts", meter.event_type === null ? "our own work" : `events of type ${meter.event_type}`],
  ["by", `${meter.aggregation.replace("_", " ")}${meter.value_property === null ? "" : ` of ${meter.value_property}`}`],
  ["unit", meter.unit],
  [
    "dimensions",
    Object.entries(meter.dimensions)
      .map(([name, pointer]) => (meter.built_in ? name : `${name} (${pointer})`))
      .join(", ") || "none",
  ],
  ...(meter.created_at === null ? [] : [["created", formatTime(meter.created_at)] as [string, string]]),
];

/** A bar a window and group. Pure. */
export function meterText(report: MeterReport, paint: Paint, columns: number): string {
  const { data, unit, from, to } = report;
  const span = `${formatTime(from)} to ${formatTime(to)} UTC`;
  if (data.length === 0) return `Nothing from ${span}.`;
  const hasWindows = new Set(data.map(({ window_start }) => window_start)).size > 1;
  const lines = data.map((row): ChartLine => {
    const groups = Object.values(row.group).map((value) => value ?? "–");
    const label = [...(hasWindows ? [formatTime(row.window_start)] : []), ...groups].join("  ");
    return {
      label: label || report.meter,
      value: Math.max(0, Number(row.value)),
      text: `${formatDecimal(row.value)} ${unit}`,
    };
  });
  return `${chart(lines, columns, paint)}\n  ${paint("faint", `${report.aggregation.replace("_", " ")}, ${span}`)}`;
}

interface CreateFlags {
  readonly type: string;
  readonly count: Aggregation;
  readonly value?: string;
  readonly unit?: string;
  readonly dimension?: readonly string[];
}

/** `gristmill meter` */
export function meterCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List meters, your own and those built in", ["gristmill meter list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.meters.list({ signal }).all(limit),
      [{ head: "name" }, { head: "counts" }, { head: "unit" }, { head: "dimensions" }],
      (meter) => [
        meter.name,
        countsOf(meter),
        meter.unit,
        meter.built_in ? "–" : Object.keys(meter.dimensions).join(", ") || "–",
      ],
      "No meters.",
    );
  });

  const show = verb("show <meter>", "Show a meter by name or id", ["gristmill meter show shop.sales"]);
  show.action(async (name: string) => {
    const { client, output, signal } = await open(show).connected();
    const meter = await client.meters.get(name, { signal });
    output.facts(meter, () => facts(meter));
  });

  const create = verb("create <name>", "Make a meter for events that you send", [
    "gristmill meter create shop.sales --type com.example.sale --count sum --value '$.total' --unit USD",
    "gristmill meter create shop.visitors --type com.example.visit --count unique_count --value subject",
    "gristmill meter create pages.read --type com.example.page --count count --dimension book='$.book'",
  ])
    .requiredOption("--type <type>", "the CloudEvents type that it counts")
    .addOption(
      new Option("--count <how>", "how many events make one number").choices(aggregations).makeOptionMandatory(),
    )
    .option("--value <pointer>", "where in an event the value stands: $.name of its data, or subject")
    .option("--unit <unit>", "what the number is of")
    .option("--dimension <name=pointer>", "what to group by; may be given several times", gather);
  create.action(async (name: string, { type, count, value, unit, dimension }: CreateFlags) => {
    const dimensions = namedValues("--dimension", dimension);
    const { client, output, signal } = await open(create).connected();
    const more = given({ value_property: value, unit });
    const meter = await client.meters.create(
      { name, event_type: type, aggregation: count, dimensions, ...more },
      { signal },
    );
    output.facts(meter, () => facts(meter));
  });

  const query = withSpan(
    verb("query <meter>", "Show what a meter measured, as bars", [
      "gristmill meter query shop.sales --window day --from 7d",
      "gristmill meter query service.images --group-by model",
      "gristmill meter query shop.sales --filter shop=berlin --json",
    ]),
  )
    .addOption(new Option("--window <size>", "one bar a window").choices(windowUnits))
    .option("--group-by <dimensions>", "dimensions of the meter, and key; comma-separated", commaSeparated)
    .option("--filter <dimension=value>", "this value alone; may be given several times", gather);
  query.action(
    async (
      name: string,
      flags: SpanFlags & {
        window?: (typeof windowUnits)[number];
        groupBy?: readonly string[];
        filter?: readonly string[];
      },
    ) => {
      const { from, to, window, groupBy } = flags;
      const filter = namedValues("--filter", flags.filter);
      const { client, output, signal } = await open(query).connected();
      const report = await client.meters.query(name, { signal, filter, ...given({ from, to, window, groupBy }) });
      output.result(() => meterText(report, output.out.paint, output.out.columns), report);
    },
  );

  const remove = verb("delete <meter>", "Delete a meter of yours; what it counted stays", [
    "gristmill meter delete shop.sales",
  ]);
  remove.action(async (name: string) => {
    const { client, output, signal } = await open(remove).connected();
    await client.meters.delete(name, { signal });
    output.result(() => `Deleted ${name}.`, { meter: name, deleted: true });
  });

  return noun("meter", "Meters: what is counted, and how", list, show, create, query, remove);
}
