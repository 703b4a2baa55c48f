/** @file Sends real test images through the REST API and shows what came back. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodePng, drawGallery, type GalleryItem } from "@gristmill/cli";
import { name } from "../network.ts";
import type { Stage } from "../stage.ts";
import type { Platform } from "./platform.ts";

const images = 12;

/** Resolves to the file of one image, to try again by hand. */
export async function ask(stage: Stage, { client, url, home }: Platform): Promise<string> {
  const { signal, screen } = stage;
  const { records } = await client.datasets.preview(name, { split: "test", limit: images }, { signal });
  stage.say(`     POST ${url}/api/services/image-classification?model=${name}`);
  const items: GalleryItem[] = [];
  let right = 0;
  for (const { png_base64, class_name } of records) {
    const png = Buffer.from(png_base64, "base64");
    const { labels } = await client.services.classifyImage(png, { model: name, top: 1, signal });
    const [best] = labels;
    const picture = decodePng(png);
    if (best === undefined || picture === undefined) throw new Error("Expected a label and a PNG, received none");
    const isRight = best.label === class_name;
    if (isRight) right += 1;
    items.push({
      picture,
      caption: [
        `predicted ${screen.paint("strong", best.label)}  ${percent(best.score)}`,
        `true      ${class_name}  ${isRight ? screen.paint("good", "✓") : screen.paint("bad", "✗")}`,
      ],
    });
  }
  stage.say(`\n${drawGallery(items, screen)}\n`);
  stage.done(`${right} of ${records.length} are right`);
  return await keepOne(records[0], home);
}

/** Five characters at most, as a tile has room for: "99.9%", "100%". */
const percent = (score: number): string => (score >= 0.9995 ? "100%" : `${(score * 100).toFixed(1)}%`);

async function keepOne(record: { png_base64: string; class_name: string } | undefined, home: string): Promise<string> {
  if (record === undefined) throw new Error("Expected test images, received none");
  const folder = join(home, "quickstart");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `test-image-of-a-${record.class_name}.png`);
  await writeFile(file, Buffer.from(record.png_base64, "base64"));
  return file;
}
