/** @file Several pictures beside each other, each with words below. Pure. */
import { stripVTControlCharacters } from "node:util";
import { drawPicture } from "./draw.ts";
import type { Picture } from "./png.ts";

/** A picture and the lines below it. */
export interface GalleryItem {
  readonly picture: Picture;
  readonly caption: readonly string[];
}

/** Where a gallery is shown. */
export interface GalleryOptions {
  readonly columns: number;
  readonly colours: boolean;
  /** Width of one picture in characters; default 18. */
  readonly tile?: number;
}

const gap = 2;
const pad = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - [...stripVTControlCharacters(text)].length));

/** Rows of as many pictures as fit, in order. */
export function drawGallery(items: readonly GalleryItem[], { columns, colours, tile = 18 }: GalleryOptions): string {
  const most = Math.max(1, Math.floor(columns / (tile + gap)));
  // As many in each row: 12 are 4 + 4 + 4 where 5 would fit, not 5 + 5 + 2.
  const perRow = Math.ceil(items.length / Math.ceil(items.length / most));
  const blocks: string[] = [];
  for (let at = 0; at < items.length; at += perRow) {
    const row = items.slice(at, at + perRow);
    const drawn = row.map(({ picture }) => drawPicture(picture, { columns: tile, colours }));
    const height = Math.max(...drawn.map(({ length }) => length));
    const captions = Math.max(...row.map(({ caption }) => caption.length));
    const lines = Array.from({ length: height + captions }, (_, line) =>
      row
        .map(({ caption }, i) => pad((line < height ? drawn[i]?.[line] : caption[line - height]) ?? "", tile))
        .join(" ".repeat(gap))
        .trimEnd(),
    );
    blocks.push(lines.map((line) => `  ${line}`.trimEnd()).join("\n"));
  }
  return blocks.join("\n\n");
}
