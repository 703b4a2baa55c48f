/** @file Which sources are ours. Pure. */

/** Characters of a URI reference (RFC 3986): letters that only look alike, spaces and control characters are none. */
const uriReference = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/;

/** True when a text has the form of a source: a URI reference whose percent-escapes are whole. */
export const isSource = (source: string): boolean => uriReference.test(source) && !/%(?![0-9A-Fa-f]{2})/.test(source);

/**
 * True for our own name, whatever its letters' case and however it is escaped, dressed in slashes, dots or a scheme, or
 * continued: nobody's event may be taken for ours, by a machine or by an eye.
 */
export function isReservedSource(source: string): boolean {
  let plain = source;
  // Escapes may themselves be escaped.
  for (let decoded = unescaped(plain); decoded !== plain; decoded = unescaped(plain)) plain = decoded;
  const bare = plain
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\p{C}\p{Z}]/gu, "")
    .replace(/^(urn:|https?:)*[./]*/, "");
  return /^gristmill($|[^a-z0-9_-])/.test(bare);
}

const unescaped = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
