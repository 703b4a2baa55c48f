import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assembleManifest, objectsOf, type StagedFile, type StagedSplit } from "./manifest.ts";

const file = (
  records: number,
  shape: readonly [number, number, number],
  sha256: string,
  counts: number[],
): StagedFile => ({
  header: { records, recordShape: shape, recordBytes: 4, offset: 16, totalBytes: 100 },
  counts,
  sha256: sha256.repeat(64).slice(0, 64),
  sizeBytes: 100,
});
const split = (name: string, records = 3, images = "a", labels = "b"): StagedSplit => ({
  name,
  images: file(records, [2, 2, 1], images, []),
  labels: file(records, [1, 1, 1], labels, [1, 0, records - 1]),
});

describe("assembleManifest", () => {
  it("[DAT2] depends on content alone: the order of splits changes nothing, anything else changes the hash", () => {
    const base = [split("test"), split("train", 5, "c", "d")];
    const hash = (splits: StagedSplit[], names?: string[]): string => assembleManifest(splits, names).sha256;
    expect(hash(base.toReversed())).toBe(hash(base));
    expect(hash(base, ["0", "1", "2"])).toBe(hash(base)); // the default names
    const others = [
      hash([split("test"), split("train", 5, "e", "d")]),
      hash([split("test"), split("train", 5, "c", "e")]),
      hash([split("test"), split("other", 5, "c", "d")]),
      hash([split("test")]),
      hash(base, ["0", "1", "two"]),
    ];
    expect(new Set([hash(base), ...others]).size).toBe(others.length + 1);
  });

  it("[DAT7] counts each class, up to the last named one", () => {
    const { splits, classNames } = assembleManifest([split("train", 9)], ["a", "b", "c", "d"]);
    expect(splits[0]?.classCounts).toEqual([1, 0, 8, 0]);
    expect(classNames).toEqual(["a", "b", "c", "d"]);
  });

  it("[DAT7] names classes by their numbers, up to the greatest in any split", () => {
    const small = { ...split("a"), labels: file(3, [1, 1, 1], "b", [3]) };
    const manifest = assembleManifest([small, split("b")], undefined);
    expect(manifest.classNames).toEqual(["0", "1", "2"]);
    expect(manifest.splits[0]?.classCounts).toEqual([3, 0, 0]);
  });

  it("[DAT5] refuses counts of images and labels that differ, and names both", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (images, labels) => {
        fc.pre(images !== labels);
        const wrong = { ...split("train", images), labels: file(labels, [1, 1, 1], "b", [labels]) };
        expect(() => assembleManifest([wrong], undefined)).toThrow(
          expect.objectContaining({ code: "data.mismatch", details: { split: "train", images, labels } }),
        );
      }),
    );
  });

  it("[DAT5] refuses splits whose images differ in size", () => {
    const wide = { ...split("test"), images: file(3, [2, 3, 1], "a", []) };
    expect(() => assembleManifest([split("train"), wide], undefined)).toThrow('"train" has images of 2 x 2 x 1, but');
  });

  it("names each object once, sorted", () => {
    const manifest = assembleManifest([split("b", 3, "c", "a"), split("a", 3, "c", "b")], undefined);
    expect(objectsOf(manifest)).toEqual(["a", "b", "c"].map((letter) => letter.repeat(64)));
  });
});
