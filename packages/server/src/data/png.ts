/** @file Pixels to PNG, for previews. 8 bits a channel, no filters: enough for small pictures, and no image library in this process. */
import { promisify } from "node:util";
import { crc32, deflate } from "node:zlib";
import type { RecordShape } from "./idx.ts";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** PNG's colour type by the number of channels: gray, gray with alpha, RGB, RGBA. */
const colourTypes: Readonly<Record<number, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 };
const compress = promisify(deflate);

/**
 * Encodes one picture.
 * Source: PNG specification, third edition, sections 5 and 11.
 * @param pixels [height, width, channels], channels last.
 */
export async function encodePng(pixels: Uint8Array, [height, width, channels]: RecordShape): Promise<Buffer> {
  const colourType = colourTypes[channels];
  if (colourType === undefined || pixels.length !== height * width * channels)
    throw new RangeError(
      `encodePng: expected ${height} x ${width} x ${channels} bytes of 1 to 4 channels, received ${pixels.length}`,
    );
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8; // bits a channel
  header[9] = colourType;
  const rowBytes = width * channels;
  const rows = Buffer.alloc(height * (rowBytes + 1)); // each row begins with its filter, 0: none
  for (let row = 0; row < height; row++)
    rows.set(pixels.subarray(row * rowBytes, (row + 1) * rowBytes), row * (rowBytes + 1) + 1);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", await compress(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Length, type, data, checksum over type and data. */
function chunk(type: string, data: Uint8Array): Buffer {
  const framed = Buffer.alloc(data.length + 12);
  framed.writeUInt32BE(data.length, 0);
  framed.write(type, 4, "latin1");
  framed.set(data, 8);
  framed.writeUInt32BE(crc32(framed.subarray(4, data.length + 8)), data.length + 8);
  return framed;
}
