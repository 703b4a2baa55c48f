import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type UsageFormat, usageFormats } from "@gristmill/sdk";
import { type Command, Option } from "commander";
import { given, type OpenSession, type SpanFlags, verb, withSpan } from "./command.ts";

/** `usage.csv` → csv. */
const formatOf = (file: string): UsageFormat => usageFormats.find((format) => file.endsWith(`.${format}`)) ?? "csv";

/** `gristmill usage export` */
export function usageExportCommand(open: OpenSession): Command {
  const command = withSpan(
    verb("export [file]", "Write the ledger's entries to a file, or to standard output", [
      "gristmill usage export usage.csv --from 2026-11 --to 2026-12",
      "gristmill usage export usage.parquet",
      "gristmill usage export --format jsonl | head",
    ]),
  ).addOption(
    new Option("--format <format>", "csv, jsonl or parquet (default: by the file's name, else csv)").choices(
      usageFormats,
    ),
  );
  command.action(async (file: string | undefined, flags: SpanFlags & { format?: UsageFormat }) => {
    const { client, output, signal } = await open(command).connected();
    const which = { signal, ...given({ from: flags.from, to: flags.to }) };
    if (file === undefined) {
      const stream = await client.usage.export(flags.format ?? "csv", which);
      return await pipeline(Readable.fromWeb(stream), output.out.stream, { signal, end: false });
    }
    const format = flags.format ?? formatOf(file);
    await client.usage.download(format, file, which);
    output.result(() => `Wrote ${file} (${format}).`, { file, format });
  });
  return command;
}
