import fc from "fast-check";
import { expect, test } from "vitest";
import { ownPath } from "./origin.ts";

test("[SGN16] a path of ours stays as it is, and a browser follows it to us", () => {
  for (const path of [
    "/",
    "/runs",
    "/runs?x=1&y=%2F#top",
    "/a/b/../c",
    "/?next=https://evil.example",
    "/@evil.example",
  ]) {
    const own = ownPath(path);
    expect(own).toBe(new URL(path, "https://ai.example.com").href.slice("https://ai.example.com".length));
  }
});

test("[SGN16] whatever the text, it is refused or leads to us, from every page of ours", () => {
  const pieces = fc.constantFrom(
    "/",
    "\\",
    ".",
    "..",
    "//",
    "\t",
    "\n",
    "\r",
    "@",
    ":",
    "evil.example",
    "https:",
    "%2f",
    "?",
    "#",
    " ",
    "a",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (tail) => {
      for (const path of [tail, `/${tail}`]) {
        const own = ownPath(path);
        if (own === undefined) continue;
        expect(own).toMatch(/^\/(?![/\\])/);
        for (const page of ["https://ai.example.com/", "https://ai.example.com/x/y?z=1"])
          expect(new URL(own, page).origin).toBe("https://ai.example.com");
        // What we send is what a browser reads: a header's value without control characters or line ends.
        expect(own).toMatch(/^[\x21-\x7e]*$/);
      }
    }),
    { numRuns: 2000 },
  );
});
