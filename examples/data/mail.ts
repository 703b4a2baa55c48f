/** @file What a person reads of an e-mail: its subject and its text. Sources: RFC 5322 (format), RFC 2045 to 2047 (MIME). */

/** An e-mail as read. */
export interface Mail {
  readonly subject: string;
  /** Plain text; of HTML the text between the tags, with each link's host and each picture as a word. */
  readonly text: string;
}

type Headers = ReadonlyMap<string, string>;

/** Nested parts are read to this depth: real mail has three at most, a bomb has thousands. */
const deepest = 8;

/** Reads a mail. Broken mail, of which spam has a lot, gives what can be read of it. */
export function readMail(raw: string): Mail {
  const { headers, body } = split(raw.replaceAll(/\r\n?/g, "\n").replace(/^From .*\n/, ""));
  return { subject: decodedWords(headers.get("subject") ?? ""), text: readPart(headers, body, 0) };
}

function split(raw: string): { headers: Headers; body: string } {
  if (raw.startsWith("\n")) return { headers: new Map(), body: raw.slice(1) };
  const end = raw.indexOf("\n\n");
  const lines = (end < 0 ? raw : raw.slice(0, end)).replaceAll(/\n[ \t]+/g, " ").split("\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, body: end < 0 ? "" : raw.slice(end + 2) };
}

function readPart(headers: Headers, body: string, depth: number): string {
  const type = headers.get("content-type") ?? "text/plain";
  const boundary = /boundary\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(type);
  if (/^\s*multipart\//i.test(type) && boundary !== null && depth < deepest) {
    const pieces = body.split(`--${boundary[1] ?? boundary[2]}`).slice(1);
    const parts = pieces
      .filter((piece) => !piece.startsWith("--"))
      .map((piece) => split(piece.replace(/^[ \t]*\n/, "")));
    // of the same content in several forms the first is the plainest
    const wanted = /^\s*multipart\/alternative/i.test(type) ? parts.slice(0, 1) : parts;
    return wanted.map((part) => readPart(part.headers, part.body, depth + 1)).join("\n");
  }
  if (/^\s*(message\/rfc822)/i.test(type) && depth < deepest) {
    const inner = split(body);
    return readPart(inner.headers, inner.body, depth + 1);
  }
  if (!/^\s*text\//i.test(type)) return "";
  const text = decoded(body, headers.get("content-transfer-encoding") ?? "");
  return /html/i.test(type) || /<html|<body|<table/i.test(text) ? textOfHtml(text) : text;
}

function decoded(body: string, encoding: string): string {
  if (/base64/i.test(encoding)) return Buffer.from(body, "base64").toString("latin1");
  if (!/quoted-printable/i.test(encoding)) return body;
  return fromQuoted(body.replaceAll(/=[ \t]*\n/g, ""));
}

const fromQuoted = (text: string): string =>
  text.replaceAll(/=([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/** Encoded words of a header, "=?iso-8859-1?Q?caf=E9?=", as text. */
const decodedWords = (text: string): string =>
  text.replaceAll(/=\?[\w-]+\?([bq])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
    kind.toLowerCase() === "b" ? Buffer.from(word, "base64").toString("latin1") : fromQuoted(word.replaceAll("_", " ")),
  );

const entities: Readonly<Record<string, string>> = { nbsp: " ", amp: "&", lt: "<", gt: ">", quot: '"', copy: "(c)" };

const textOfHtml = (html: string): string =>
  html
    .replaceAll(/<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?<\/\1>/gi, " ")
    .replaceAll(/<a\b[^>]*?href\s*=\s*["']?\w+:\/*([\w.-]+)[^>]*>/gi, " link $1 ")
    .replaceAll(/<img\b[^>]*>/gi, " picture ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/&#(\d{1,6});/g, (_, code: string) => String.fromCodePoint(Math.min(Number(code), 0x10ffff)))
    .replaceAll(/&(\w+);/g, (whole, name: string) => entities[name.toLowerCase()] ?? whole);
