/** @file Pictures as characters. Pure. */
import type { Picture } from "./png.ts";

/** How to draw. */
export interface DrawOptions {
  /** Characters a line. */
  readonly columns: number;
  /** Half blocks in greys of the terminal's 256 colours; without, characters of growing ink. */
  readonly colours: boolean;
}

/** From empty to full, for light ink on dark ground. */
const inks = " .:-=+*#%@";

/** The mean grey of each of `width` x `height` fields of the picture, 0 to 255. */
export function resample({ width, height, pixels }: Picture, toWidth: number, toHeight: number): Float64Array {
  const fields = new Float64Array(toWidth * toHeight);
  for (let y = 0; y < toHeight; y++)
    for (let x = 0; x < toWidth; x++) {
      const [top, bottom] = [(y * height) / toHeight, ((y + 1) * height) / toHeight];
      const [left, right] = [(x * width) / toWidth, ((x + 1) * width) / toWidth];
      let sum = 0;
      for (let row = Math.floor(top); row < bottom; row++)
        for (let column = Math.floor(left); column < right; column++) {
          const covered =
            (Math.min(row + 1, bottom) - Math.max(row, top)) * (Math.min(column + 1, right) - Math.max(column, left));
          sum += covered * (pixels[row * width + column] ?? 0);
        }
      fields[y * toWidth + x] = sum / ((bottom - top) * (right - left));
    }
  return fields;
}

/** A grey as a colour of xterm's palette: black, 24 greys, white. */
function greyIndex(grey: number): number {
  const level = Math.round((grey / 255) * 25);
  if (level === 0) return 16;
  return level === 25 ? 231 : 231 + level;
}

/** The picture in lines of `columns` characters; a character is taken for twice as high as wide. */
export function drawPicture(picture: Picture, { columns, colours }: DrawOptions): string[] {
  const rows = Math.max(1, Math.round((columns * picture.height) / picture.width / 2));
  return colours
    ? halfBlocks(resample(picture, columns, rows * 2), columns)
    : inked(resample(picture, columns, rows), columns);
}

/** "▀" shows its upper half in the foreground's colour, its lower half in the background's. */
function halfBlocks(fields: Float64Array, columns: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < fields.length; at += 2 * columns) {
    let line = "";
    let last = "";
    for (let x = 0; x < columns; x++) {
      const colour = `\x1b[38;5;${greyIndex(fields[at + x] ?? 0)};48;5;${greyIndex(fields[at + columns + x] ?? 0)}m`;
      line += colour === last ? "▀" : `${colour}▀`;
      last = colour;
    }
    lines.push(`${line}\x1b[0m`);
  }
  return lines;
}

function inked(fields: Float64Array, columns: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < fields.length; at += columns)
    lines.push(
      Array.from(fields.subarray(at, at + columns), (grey) => inks[Math.round((grey / 255) * (inks.length - 1))]).join(
        "",
      ),
    );
  return lines;
}
