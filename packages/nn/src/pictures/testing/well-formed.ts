/** @file Checks of SVG files for tests. */
import fc from "fast-check";

/** Any text, with control letters, halves of letters and markup. */
export const anyText = fc
  .array(
    fc.oneof(fc.nat(0xffff), fc.nat(0x7f), fc.constantFrom(...[..."<>&\"'"].map((letter) => letter.charCodeAt(0)))),
  )
  .map((codes) => String.fromCharCode(...codes));

/**
 * Walks an SVG file and gives its texts; throws where it is no well-formed XML: tags that do not close, attributes without
 * quotes, bare "&" and "<", letters that XML forbids, numbers that are none.
 */
export function textsOf(svg: string): string[] {
  const open: string[] = [];
  const texts: string[] = [];
  const fail = (what: string): never => {
    throw new Error(`not well-formed: ${what}`);
  };
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(svg)) fail("a forbidden letter");
  if (/NaN|Infinity|undefined|\[object/.test(svg.replaceAll(/<(title|text)[\s\S]*?<\/\1>/g, "")))
    fail("a number that is none");
  for (const [, tag = "", text = ""] of svg.matchAll(/<([^>]*)>([^<]*)/g)) {
    if (/&(?!(amp|lt|gt|quot);)/.test(text + tag)) fail(`a bare & in ${text}`);
    if (tag.startsWith("/")) {
      if (open.pop() !== tag.slice(1)) fail(`</${tag.slice(1)}> closes another tag`);
    } else {
      const [, name = "", attributes = "", end] =
        /^([a-z]+)((?:\s+[A-Za-z:-]+="[^"<]*")*)\s*(\/?)$/.exec(tag) ?? fail(`<${tag}>`);
      const names = [...attributes.matchAll(/([A-Za-z:-]+)="/g)].map(([, attribute]) => attribute);
      if (new Set(names).size < names.length) fail(`an attribute twice in <${tag}>`);
      if (end !== "/") open.push(name);
      if (name === "text" && text !== "") texts.push(unescaped(text));
    }
    if (open.at(-1) === "text" && tag.startsWith("/title")) texts.push(unescaped(text));
  }
  if (open.length > 0) fail(`${open.join(", ")} never closed`);
  return texts;
}

const unescaped = (text: string): string =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
