import type { LanguageModel, ModelVersion } from "@gristmill/contract";
import type { Command } from "commander";
import type { Paint } from "../terminal/paint.ts";
import { formatBytes, formatCount, formatMetrics, formatSeconds, formatTime } from "../terminal/words.ts";
import { noun, type OpenSession, verb, withLimit } from "./command.ts";

const signature = (tensors: ModelVersion["inputs"]): string =>
  tensors.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(", ")}]`).join("; ");

const graphFacts = ({ inputs, outputs, task, card }: ModelVersion): [string, string][] => [
  ["inputs", signature(inputs)],
  ["outputs", signature(outputs)],
  ["raw values", card.preprocessing ?? "–"],
  ["classes", task?.class_names.join(", ") ?? "–"],
];

const languageFacts = (language: LanguageModel): [string, string][] => [
  ["language", `${language.name ?? "–"} (${language.architecture}), ${language.quantization}`],
  ["context", `${formatCount(language.context_length)} tokens`],
  ["vocabulary", `${formatCount(language.vocabulary_size)} tokens (${language.tokenizer})`],
  ["chat template", language.chat_template ? "yes" : "none"],
];

const facts = (version: ModelVersion, paint: Paint): [string, string][] => {
  const { card } = version;
  return [
    ["model", paint("strong", `${version.model}@${version.version}`)],
    ["id", version.id],
    ["sha256", version.sha256],
    ["file", `${version.format}, ${formatBytes(version.size_bytes)}, ${formatCount(card.parameters)} parameters`],
    ...(version.language === null ? graphFacts(version) : languageFacts(version.language)),
    ["metrics", formatMetrics(card.metrics) || "–"],
    ["trained", card.training_seconds > 0 ? formatSeconds(card.training_seconds) : "elsewhere"],
    [
      "dataset",
      card.dataset === null
        ? "–"
        : `${card.dataset.name}, version ${card.dataset.version}, ${card.dataset.licence ?? "licence not stated"}`,
    ],
    ["run", version.run_id ?? "–"],
    ...(card.notes === null ? [] : [["notes", card.notes] as [string, string]]),
    ["created", formatTime(version.created_at)],
  ];
};

/** Reads `digits` (its latest version) or `digits@3`. */
export function parseModel(text: string): { model: string; version: number | undefined } {
  const match = /^(.*)@(\d+)$/.exec(text);
  return { model: match?.[1] ?? text, version: match === null ? undefined : Number(match[2]) };
}

/** `gristmill model` */
export function modelCommand(open: OpenSession): Command {
  const list = withLimit(verb("list", "List models", ["gristmill model list"]));
  list.action(async ({ limit }: { limit: number }) => {
    const { client, output, signal } = await open(list).connected();
    output.list(
      await client.models.list({ signal }).all(limit),
      [{ head: "name" }, { head: "latest", align: "right" }, { head: "id" }, { head: "created" }],
      ({ name, latest_version, id, created_at }) => [name, `@${latest_version}`, id, formatTime(created_at)],
      "No models. Train one: gristmill train --help",
    );
  });

  const show = verb("show <model[@version]>", "Show a version's card, by default the latest", [
    "gristmill model show digits",
    "gristmill model show digits@2 --json",
  ]);
  show.action(async (text: string) => {
    const { client, output, signal } = await open(show).connected();
    const { model, version } = parseModel(text);
    const number = version ?? (await client.models.get(model, { signal })).latest_version;
    const found = await client.models.getVersion(model, number, { signal });
    output.facts(found, () => facts(found, output.out.paint));
  });

  const versions = withLimit(verb("versions <model>", "List a model's versions", ["gristmill model versions digits"]));
  versions.action(async (model: string, { limit }: { limit: number }) => {
    const { client, output, signal } = await open(versions).connected();
    output.list(
      await client.models.versions(model, { signal }).all(limit),
      [
        { head: "version", align: "right" },
        { head: "metrics" },
        { head: "size", align: "right" },
        { head: "sha256" },
        { head: "created" },
      ],
      ({ version, card, size_bytes, sha256, created_at }) => [
        `@${version}`,
        formatMetrics(card.metrics) || "–",
        formatBytes(size_bytes),
        sha256.slice(0, 12),
        formatTime(created_at),
      ],
      "No versions.",
    );
  });

  const download = verb("download <model[@version]> <file>", "Write a version's file", [
    "gristmill model download digits digits.onnx",
  ]);
  download.action(async (text: string, file: string) => {
    const { client, output, signal } = await open(download).connected();
    const { model, version } = parseModel(text);
    const number = version ?? (await client.models.get(model, { signal })).latest_version;
    await client.models.download(model, number, file, { signal });
    output.result(() => `Wrote ${model}@${number} to ${file}.`, { model, version: number, file });
  });

  const create = verb("create <model> <file>", "Add an ONNX or GGUF file as the model's next version", [
    "gristmill model create resnet resnet50.onnx",
  ]).alias("import");
  create.action(async (model: string, file: string) => {
    const { client, output, signal } = await open(create).connected();
    const version = await client.models.importFile(model, file, { signal });
    output.facts(version, () => facts(version, output.out.paint));
  });

  const remove = verb("delete <model>", "Delete a model and its versions", ["gristmill model delete digits"]);
  remove.action(async (model: string) => {
    const { client, output, signal } = await open(remove).connected();
    await client.models.delete(model, { signal });
    output.result(() => `Deleted ${model}.`, { model, deleted: true });
  });

  return noun(
    "model",
    "The registry: models and their immutable versions",
    list,
    show,
    versions,
    download,
    create,
    remove,
  );
}
