/** A path of the API whose values can't become further segments or a query: "../keys?x" → "..%2Fkeys%3Fx". */
export const path = (texts: TemplateStringsArray, ...values: readonly (string | number)[]): string =>
  texts.map((text, i) => text + (i < values.length ? encodeURIComponent(`${values[i]}`) : "")).join("");
