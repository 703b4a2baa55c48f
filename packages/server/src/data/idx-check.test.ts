import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IdxKind } from "./idx.ts";
import { IdxCheck } from "./idx-check.ts";
import { idxHeader, idxImages, idxLabels } from "./testing/idx-files.ts";

const limits = { fileBytes: 1_000_000, recordBytes: 10_000 };

function check(kind: IdxKind, bytes: Buffer, classes?: number, cuts: readonly number[] = []) {
  const checked = new IdxCheck(kind, `train.${kind}`, { limits, classes });
  const ends = [...cuts].sort((a, b) => a - b);
  for (const [i, end] of [...ends, bytes.length].entries()) checked.push(bytes.subarray(ends[i - 1] ?? 0, end));
  return checked.end();
}

describe("IdxCheck", () => {
  it("reads images of two kinds of header, and counts labels", () => {
    expect(check("images", idxImages(5, 2, 3))).toEqual({
      header: { records: 5, recordShape: [2, 3, 1], recordBytes: 6, offset: 16, totalBytes: 46 },
      counts: [],
    });
    expect(check("images", idxImages(2, 4, 4, 3)).header).toMatchObject({ recordShape: [4, 4, 3], offset: 20 });
    expect(check("labels", idxLabels([3, 0, 3, 1])).counts).toEqual([1, 1, 0, 2]);
  });

  it("[DAT5] finds the same, however the bytes are cut into pieces", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(255), { minLength: 1, maxLength: 50 }),
        fc.array(fc.nat(58), { maxLength: 8 }),
        (labels, cuts) => {
          const bytes = idxLabels(labels);
          const inside = cuts.map((cut) => Math.min(cut, bytes.length));
          expect(check("labels", bytes, undefined, inside)).toEqual(check("labels", bytes));
        },
      ),
    );
  });

  it("[DAT5] says where a wrong label is, however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.array(fc.nat(48), { maxLength: 4 }), (record, cuts) => {
        const labels = Array.from({ length: 41 }, (_, i) => (i === record ? 3 : 2));
        expect(() => check("labels", idxLabels(labels), 3, cuts)).toThrow(
          `train.labels: record ${record} has the label 3, but class_names has 3 names (labels 0 to 2).`,
        );
      }),
    );
  });

  it("[DAT5] refuses a truncated file with expected and received bytes, at every length", () => {
    const whole = idxImages(3, 2, 2);
    for (let length = 0; length < whole.length; length++)
      expect(() => check("images", whole.subarray(0, length))).toThrow(
        expect.objectContaining({
          code: "data.malformed",
          message: expect.stringContaining(`received ${length < 16 ? "only " : ""}${length}`),
          details: expect.objectContaining({ file: "train.images", received_bytes: length }),
        }),
      );
    expect(() => check("images", whole.subarray(0, 20))).toThrow(
      "train.images: expected 28 bytes (3 records of 4 after a header of 16), received 20.",
    );
  });

  it("[DAT5] stops at the first byte too many", () => {
    const checked = new IdxCheck("labels", "train.labels", { limits });
    checked.push(idxLabels([1, 2]));
    expect(() => checked.push(Buffer.alloc(1))).toThrow("expected 10 bytes");
  });

  it.each([
    ["labels given as images", "images", idxLabels([1]), "expected the magic number 0x00000803 or 0x00000804"],
    ["images given as labels", "labels", idxImages(1, 1, 1), "received 0x00000803"],
    ["floats", "images", Buffer.from([0, 0, 0x0d, 3]), "received 0x00000d03"],
    ["a PNG", "images", Buffer.from([0x89, 0x50, 0x4e, 0x47]), "received 0x89504e47"],
    ["no records", "images", idxHeader(0, 28, 28), "expected sizes above 0"],
    ["no width", "images", idxHeader(1, 28, 0), "expected sizes above 0"],
    ["five channels", "images", idxHeader(1, 2, 2, 5), "at most 4 channels"],
  ] as const)("[DAT5] refuses %s", (_, kind, bytes, message) => {
    expect(() => check(kind, bytes)).toThrow(
      expect.objectContaining({ code: "data.malformed", message: expect.stringContaining(message) }),
    );
  });

  it("[DAT6] refuses what the header announces above the limits, before any of it comes", () => {
    for (const header of [idxHeader(0xffffffff, 0xffffffff, 0xffffffff, 4), idxHeader(1, 101, 100)])
      expect(() => check("images", header)).toThrow(expect.objectContaining({ code: "request.too_large" }));
  });
});
