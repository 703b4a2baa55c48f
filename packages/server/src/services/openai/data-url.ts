/** @file Pure: images inside of requests. */
import { badField } from "./bad-field.ts";

const kinds: readonly (readonly [name: string, isKind: (bytes: Uint8Array) => boolean])[] = [
  ["PNG", (bytes) => begins(bytes, 0, [0x89, 0x50, 0x4e, 0x47])],
  ["JPEG", (bytes) => begins(bytes, 0, [0xff, 0xd8, 0xff])],
  ["WebP", (bytes) => begins(bytes, 0, [0x52, 0x49, 0x46, 0x46]) && begins(bytes, 8, [0x57, 0x45, 0x42, 0x50])],
];

const begins = (bytes: Uint8Array, at: number, wanted: readonly number[]): boolean =>
  wanted.every((byte, index) => bytes[at + index] === byte);

/**
 * The bytes of an image in a data URL (RFC 2397) of base64, told by their first bytes and not by the declared type.
 * @throws AppError `request.invalid` naming the field; URLs that would have to be fetched are refused.
 */
export function imageOfDataUrl(url: string, field: string): Uint8Array {
  if (/^https?:/i.test(url))
    throw badField(field, "URLs are not fetched: send the image as data:image/png;base64,…", "unsupported_parameter");
  const comma = url.indexOf(",");
  if (
    !/^data:[\w.+-]+\/[\w.+-]+(;[\w.+-]+=[\w.+-]+)*;base64$/i.test(
      comma === -1 ? url.slice(0, 200) : url.slice(0, comma),
    )
  )
    throw badField(field, "expected a data URL: data:image/png;base64,…");
  const text = url.slice(comma + 1);
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw badField(field, "this is not base64");
  const bytes = new Uint8Array(Buffer.from(text, "base64"));
  if (!kinds.some(([, isKind]) => isKind(bytes)))
    throw badField(field, `expected an image as ${kinds.map(([name]) => name).join(", ")}`);
  return bytes;
}
