import type { DatasetPreview } from "@gristmill/contract";
import type { Command } from "commander";
import { drawGallery } from "../image/gallery.ts";
import { decodePng } from "../image/png.ts";
import type { Screen } from "../terminal/screen.ts";
import { type OpenSession, verb, wholeNumber } from "./command.ts";

/** The records as characters, each with its number and class. */
export function previewText(preview: DatasetPreview, screen: Pick<Screen, "columns" | "colours" | "paint">): string {
  const items = preview.records.flatMap(({ index, class_name, png_base64 }) => {
    const picture = decodePng(Buffer.from(png_base64, "base64"));
    const caption = `${screen.paint("faint", `#${index}`)} ${screen.paint("strong", class_name)}`;
    return picture === undefined ? [] : [{ picture, caption: [caption] }];
  });
  return drawGallery(items, screen);
}

/** `gristmill dataset preview` */
export function previewCommand(open: OpenSession): Command {
  const preview = verb("preview <dataset>", "Look at records as characters", [
    "gristmill dataset preview mnist",
    "gristmill dataset preview mnist --split test --offset 100 --limit 24",
  ])
    .option("--split <split>", "which split", "train")
    .option("--offset <count>", "records to skip", wholeNumber(0), 0)
    .option("--limit <count>", "records to show", wholeNumber(1, 100), 12);
  preview.action(async (name: string, query: { split: string; offset: number; limit: number }) => {
    const { client, output, signal } = await open(preview).connected();
    const { split, offset, limit } = query;
    const shown = await client.datasets.preview(name, { split, offset, limit }, { signal });
    const end = offset + shown.records.length;
    output.result(
      () => `${previewText(shown, output.out)}\n  ${shown.split}: ${offset} to ${end} of ${shown.total}`,
      ...shown.records,
    );
  });
  return preview;
}
