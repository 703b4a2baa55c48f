/** @file What the routes that use language models have in common. */

/** Room for some images. */
export const generationBodyLimit = 20 * 1024 * 1024;

/** Fields of every such route. */
export const languageRoute = {
  tag: "OpenAI: language models",
  surface: "openai",
  access: { scope: "inference" },
  audit: { none: "use, which the ledger records" },
} as const;

/** `make` once for each body: reserving and handling need the same. */
export function remembered<Body extends object, Made, More extends readonly unknown[] = []>(
  make: (body: Body, ...more: More) => Made,
): (body: Body, ...more: More) => Made {
  const made = new WeakMap<Body, { readonly value: Made }>();
  return (body, ...more) => {
    const known = made.get(body) ?? { value: make(body, ...more) };
    made.set(body, known);
    return known.value;
  };
}
