/** @file Text in pictures: what XML can hold, and how wide it will be about, as no font is at hand. */

// all but what XML 1.0 allows in its section 2.2
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text for XML: markup is escaped, and what XML cannot hold (control letters, halves of letters) becomes U+FFFD. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(forbidden, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Widths of letters in parts of the font's size, for a wide sans-serif (DejaVu Sans): narrower fonts leave room. */
const widths: readonly (readonly [letters: RegExp, width: number])[] = [
  [/[ijl|.,:;'!]/, 0.34],
  [/[\sftrI()[\]{}/\\"*-]/, 0.42],
  [/[mwMW@%]/, 0.95],
  [/[A-Z&#<>=+~^]/, 0.72],
  [/\p{Mn}|\p{Me}|\p{Cf}/u, 0],
  [/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f000}-\u{1faff}]/u, 1.05],
];

const widthOf = (letter: string): number => widths.find(([letters]) => letters.test(letter))?.[1] ?? 0.62;

/** Widths of the first 128 letters, which nearly all texts are made of. */
const commonWidths = Float64Array.from({ length: 128 }, (_, code) => widthOf(String.fromCharCode(code)));

const letterWidth = (letter: string): number => commonWidths[letter.codePointAt(0) ?? 0] ?? widthOf(letter);

/** About how wide a text is at a font size, in the same unit. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const letter of text) width += letterWidth(letter);
  return width * size;
}

/** The text, or its two ends around "…" where it is wider than allowed. */
export function shortened(text: string, size: number, most: number): string {
  if (textWidth(text, size) <= most) return text;
  const letters = [...text];
  let room = most / size - letterWidth("…");
  let [front, back] = [0, letters.length];
  while (front < back) {
    // by turns from the front and from the back
    const isFront = front <= letters.length - back;
    room -= letterWidth(letters[isFront ? front : back - 1] ?? "");
    if (room < 0) break;
    if (isFront) front++;
    else back--;
  }
  return `${letters.slice(0, front).join("")}…${letters.slice(back).join("")}`;
}
