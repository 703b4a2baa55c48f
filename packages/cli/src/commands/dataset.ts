import type { Dataset, DatasetSplit } from "@gristmill/contract";
import type { Command } from "commander";
import { chart } from "../terminal/bars.ts";
import { type Paint, paintStatus } from "../terminal/paint.ts";
import { formatBytes, formatCount, formatTime } from "../terminal/words.ts";
import { noun, type OpenSession, verb, withLimit } from "./command.ts";
import { createDatasetCommand } from "./dataset-create.ts";
import { previewCommand } from "./dataset-preview.ts";

/** Largest first: that is the one that trains. */
const splits = ({ latest_version }: Dataset): readonly DatasetSplit[] =>
  latest_version?.splits.toSorted((a, b) => b.records - a.records) ?? [];
const splitsOf = (dataset: Dataset): string =>
  splits(dataset)
    .map(({ name, records }) => `${name} ${formatCount(records)}`)
    .join(", ") || "–";

const facts = (dataset: Dataset, paint: Paint): [string, string][] => {
  const version = dataset.latest_version;
  return [
    ["name", dataset.name],
    ["id", dataset.id],
    ["status", paintStatus(paint, dataset.status)],
    ...(dataset.error === null
      ? []
      : [["error", `${dataset.error.code}: ${dataset.error.message}`] as [string, string]]),
    ...(version === null
      ? []
      : ([
          ["version", `${version.version}`],
          ["sha256", version.sha256],
          ["record", `${version.record_shape.join(" x ")} ${version.dtype}`],
          ["size", formatBytes(version.size_bytes)],
          ["splits", splitsOf(dataset)],
        ] satisfies [string, string][])),
    ["licence", dataset.licence ?? "not stated"],
    ...(dataset.notes === null ? [] : [["notes", dataset.notes] as [string, string]]),
    ["created", formatTime(dataset.created_at)],
  ];
};

/** How many records each class has, split by split. Pure. */
export function balanceText(dataset: Dataset, paint: Paint, columns: number): string {
  const version = dataset.latest_version;
  if (version === null) return "";
  return splits(dataset)
    .map(({ name, records, class_counts }) => {
      const lines = class_counts.map((count, i) => ({
        label: version.class_names[i] ?? `${i}`,
        value: count,
        text: `${formatCount(count).padStart(7)}  ${((100 * count) / Math.max(1, records)).toFixed(1)} %`,
      }));
      return `\n${paint("strong", `  ${name}`)}${paint("faint", `, records of each class`)}\n${chart(lines, columns, paint)}`;
    })
    .join("\n");
}

/** `gristmill dataset` */
export function datasetCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List datasets", ["gristmill dataset list", "gristmill dataset list --json"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.datasets.list({ signal }).all(limit),
      [
        { head: "name" },
        { head: "status" },
        { head: "records" },
        { head: "size", align: "right" },
        { head: "created" },
      ],
      (dataset) => [
        dataset.name,
        paintStatus(output.out.paint, dataset.status),
        splitsOf(dataset),
        dataset.latest_version === null ? "–" : formatBytes(dataset.latest_version.size_bytes),
        formatTime(dataset.created_at),
      ],
      "No datasets. Import one: gristmill dataset create --help",
    );
  });

  const show = verb("show <dataset>", "Show a dataset and the balance of its classes", [
    "gristmill dataset show mnist",
  ]);
  show.action(async (name: string) => {
    const { client, output, signal } = await open(show).connected();
    const dataset = await client.datasets.get(name, { signal });
    output.facts(dataset, () => facts(dataset, output.out.paint));
    if (!output.json) output.result(() => balanceText(dataset, output.out.paint, output.out.columns));
  });

  const remove = verb("delete <dataset>", "Delete a dataset", ["gristmill dataset delete mnist"]);
  remove.action(async (name: string) => {
    const { client, output, signal } = await open(remove).connected();
    await client.datasets.delete(name, { signal });
    output.result(() => `Deleted ${name}.`, { name, deleted: true });
  });

  const create = createDatasetCommand(open);
  return noun("dataset", "Datasets: named sets of labelled images", list, show, create, previewCommand(open), remove);
}
