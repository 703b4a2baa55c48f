/** @file How the texts of settings are read. Pure, but for the user's own folder. */
import { isIP } from "node:net";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { z } from "zod";

/** A number given as text. */
export const wholeNumber = (from: number, to: number, expected: string) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected ${expected}`)
    .transform(Number)
    .refine((value) => value >= from && value <= to, `expected ${expected}`);

/** The parts of a text that commas separate. */
export const listed = (text: string): readonly string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** "https://ai.example.com" of a URL without path; a path would be lost without a word. */
export function toOrigin(text: string, context: z.core.$RefinementCtx): string {
  const url = URL.parse(text);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (isPlain) return url.origin;
  context.addIssue("expected a URL without path, such as https://ai.example.com");
  return z.NEVER;
}

/** "10.1.0.0/16" and "::1/128"; a single address is a network of one. */
export function toNetworks(text: string, context: z.core.$RefinementCtx): readonly string[] {
  return listed(text).map((part) => {
    const [address = "", bits, ...rest] = part.split("/");
    const width = { 0: undefined, 4: 32, 6: 128 }[isIP(address)];
    const length = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : undefined;
    if (width !== undefined && length !== undefined && length <= width && rest.length === 0)
      return `${address}/${length}`;
    context.addIssue("expected networks such as 10.1.0.0/16, fd00::/8 or 127.0.0.1");
    return z.NEVER;
  });
}

/** An absolute path; "~" is the user's own folder. */
export function expandHome(path: string): string {
  return resolve(path === "~" || path.startsWith("~/") ? homedir() + path.slice(1) : path);
}
