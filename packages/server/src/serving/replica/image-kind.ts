/** @file Which kind of image bytes are, by their first bytes and nothing else. */

const ascii = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end));
const begins = (bytes: Uint8Array, ...start: number[]): boolean => start.every((byte, i) => bytes[i] === byte);

/** Kinds that are decoded. SVG is a program, and animations are no single image. */
export const decodedKinds = ["png", "jpeg", "webp"] as const;

/** A kind that is decoded, or the name of another one for the message. */
export function imageKind(bytes: Uint8Array): (typeof decodedKinds)[number] | { readonly other: string } {
  if (begins(bytes, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "png";
  if (begins(bytes, 0xff, 0xd8, 0xff)) return "jpeg";
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP") return "webp";
  if (/^GIF8[79]a/.test(ascii(bytes, 0, 6))) return { other: "a GIF" };
  if (begins(bytes, 0x49, 0x49, 0x2a, 0) || begins(bytes, 0x4d, 0x4d, 0, 0x2a)) return { other: "a TIFF" };
  if (ascii(bytes, 4, 8) === "ftyp") return { other: "an AVIF, HEIC or video file" };
  if (ascii(bytes, 0, 2) === "BM") return { other: "a BMP" };
  if (ascii(bytes, 0, 5) === "%PDF-") return { other: "a PDF" };
  if (/<svg|<\?xml|<!doctype/i.test(ascii(bytes, 0, 256))) return { other: "an SVG, XML or HTML document" };
  return { other: "no known image" };
}
