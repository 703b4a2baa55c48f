import { expect, it } from "vitest";
import { bytesSource } from "./bytes-source.ts";
import { frontFromText, frontToText } from "./front-text.ts";
import { readGgufHeader } from "./read-header.ts";
import { writeGgufHeader } from "./write-header.ts";

it("a front comes back from its text, also when it is a part of a larger buffer", async () => {
  const metadata = [["general.name", { type: "string", value: "é" }]] as const;
  const { bytes } = writeGgufHeader({ metadata, tensors: [] });
  const larger = new Uint8Array(bytes.length + 9);
  larger.set(bytes, 4);
  const back = frontFromText(frontToText(larger.subarray(4, 4 + bytes.length)));
  expect((await readGgufHeader(bytesSource(back))).metadata.get("general.name")?.value).toBe("é");
});

it.each([
  ["!!!!", "gguf.malformed", /expected base64/],
  ["abc", "gguf.malformed", /expected base64/],
  ["A".repeat(2 ** 26 + 4), "gguf.limit", /at most 67108864 characters, received 67108868/],
])("refuses %.5s", (text, code, message) => {
  expect(() => frontFromText(text)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});
