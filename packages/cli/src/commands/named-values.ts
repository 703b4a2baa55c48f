import { UsageError } from "../failure.ts";

/** ["a=1", "b=x=y"] → { a: "1", b: "x=y" }. @throws UsageError naming the option. */
export function namedValues(option: string, texts: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1)
        throw new UsageError(
          "cli.wrong_option",
          `${option}: expected NAME=VALUE, received "${text}".`,
          `Such as ${option} name=value.`,
        );
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
