/** @file What the docstrings of exported things say, read from the source, so that a page need not say it again. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Where an exported thing is and what it says of itself. */
export interface Documented {
  /** The folder, from the one that was searched: "recurrent"; "" for itself. */
  readonly folder: string;
  /** The first sentence, with its point. */
  readonly sentence: string;
  /** What it says after "Masks:", without its point; "" where it says nothing. */
  readonly masks: string;
}

const exported = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport (?:const|function) (\w+)/g;

/** Lines of a comment without stars and margins. */
const textOf = (comment: string): string =>
  comment
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, "").trimEnd())
    .join("\n")
    .trim();

const onOneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/** The first sentence of a docstring: up to a point that a new sentence follows, or the end of the paragraph. */
export function firstSentence(comment: string): string {
  const [paragraph = ""] = textOf(comment).split("\n\n");
  const text = onOneLine(paragraph.replace(/^@[\s\S]*/m, ""));
  return /^.*?[.](?= [A-Z`]|$)/.exec(text)?.[0] ?? text;
}

/** What follows "Masks:", to the end of its list entry. */
const masksOf = (comment: string): string =>
  onOneLine(/Masks: ([\s\S]*?)\.?(?=\n- |\n@|\n\n|$)/.exec(textOf(comment))?.[1] ?? "");

/** Every exported function and constant below a folder, by its name. */
export function docstringsIn(folder: string): ReadonlyMap<string, Documented> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .sort();
  const found = new Map<string, Documented>();
  for (const file of files) {
    const place = relative(folder, dirname(join(folder, file)));
    for (const [, comment = "", name = ""] of readFileSync(join(folder, file), "utf8").matchAll(exported))
      found.set(name, { folder: place, sentence: firstSentence(comment), masks: masksOf(comment) });
  }
  return found;
}
