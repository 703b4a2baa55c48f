import { describe, expect, it } from "vitest";
import { augmentedBatches } from "../../examples/augmentation/augmented-batches.ts";
import { cutout } from "../../examples/augmentation/cutout.ts";
import { warp } from "../../examples/augmentation/warp.ts";
import type { LabelledImages } from "../../examples/data/images.ts";
import { Random } from "../../examples/random.ts";

const none = { shift: 0, turn: 0, resize: 0, mirrors: false };
const size = { height: 5, width: 4, channels: 2 };
const image = Uint8Array.from({ length: 40 }, (_, i) => (i * 37) % 256);

/** A source of randomness that always says the same: the ends of the range are reached. */
const always = (value: number): Random => {
  const random = new Random(0);
  random.next = () => value;
  return random;
};
const warped = (limits: Partial<typeof none>, value: number, of = size, from = image): Uint8Array => {
  const into = new Uint8Array(from.length);
  warp(of, { ...none, ...limits })(from, into, always(value));
  return into;
};

describe("a warp", () => {
  it("of nothing changes nothing", () => {
    const into = new Uint8Array(image.length);
    warp(size, none)(image, into, new Random(1));
    expect(into).toEqual(image);
  });

  it("moves whole pixels exactly, and fills with black", () => {
    const line = { height: 1, width: 4, channels: 1 };
    expect(
      warped({ shift: 1 }, 0, { ...line, height: 3 }, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
    ).toEqual(Uint8Array.of(6, 7, 8, 0, 10, 11, 12, 0, 0, 0, 0, 0));
  });

  it("mirrors left to right", () => {
    const line = { height: 1, width: 4, channels: 1 };
    expect(warped({ mirrors: true }, 0, line, Uint8Array.of(1, 2, 3, 4))).toEqual(Uint8Array.of(4, 3, 2, 1));
  });

  it("turns by a quarter exactly", () => {
    const square = { height: 3, width: 3, channels: 1 };
    const turned = warped({ turn: -90 }, 0, square, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)); // 0 draws -(-90)
    expect([...turned]).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7]);
  });

  it("keeps the middle and makes more of it when it enlarges", () => {
    const square = { height: 5, width: 5, channels: 1 };
    const dot = Uint8Array.from({ length: 25 }, (_, i) => (i === 12 ? 200 : 0));
    const larger = warped({ resize: 0.5 }, 0.999999, square, dot);
    expect(larger[12]).toBe(200);
    expect(larger.reduce((a, b) => a + b, 0)).toBeGreaterThan(200);
  });
});

it("a cutout blackens a square, less of it at the edge", () => {
  const white = () => new Uint8Array(6 * 6 * 2).fill(255);
  const square = { height: 6, width: 6, channels: 2 };
  const blackened = (value: number) => {
    const cut = white();
    cutout(square, 4)(cut, always(value));
    return cut.filter((byte) => byte === 0).length;
  };
  expect(blackened(0.5)).toBe(4 * 4 * 2);
  expect(blackened(0)).toBe(2 * 2 * 2); // around the corner pixel
  expect(blackened(0.99)).toBe(3 * 3 * 2);
});

describe("augmented batches", () => {
  const images = {
    x: { shape: [10, 5, 4, 2], data: Uint8Array.from({ length: 400 }, (_, i) => Math.floor(i / 40)), scale: 1 },
    y: { shape: [10], data: Uint8Array.from({ length: 10 }, (_, i) => i) },
  };
  const batches = (seed: number) =>
    augmentedBatches(images, { batchSize: 4, seed, change: warp(size, { ...none, shift: 2 }) });
  const read = async (seed: number, epoch: number) => {
    const list: LabelledImages[] = [];
    for await (const batch of batches(seed)(epoch)) list.push(batch);
    return list;
  };

  it("hold each image once an epoch, the last batch what is left", async () => {
    const epoch = await read(1, 0);
    expect(epoch.map(({ x }) => x.shape[0])).toEqual([4, 4, 2]);
    const labels = epoch.flatMap(({ y }) => [...y.data]);
    expect([...labels].sort((a, b) => a - b)).toEqual([...images.y.data]);
    const brightest = epoch.flatMap(({ x, y }) =>
      [...y.data].map((_, i) => Math.max(...x.data.subarray(i * 40, i * 40 + 40))),
    );
    expect(brightest).toEqual(labels); // images stay with their labels
  });

  it("are the same for the same seed and epoch, and others for others", async () => {
    expect(await read(1, 2)).toEqual(await read(1, 2));
    expect(await read(1, 2)).not.toEqual(await read(1, 3));
    expect(await read(1, 2)).not.toEqual(await read(2, 2));
  });
});

it("random numbers are even, and an order holds each once", () => {
  const random = new Random(5, 1);
  const draws = Array.from({ length: 20_000 }, () => random.normal());
  const mean = draws.reduce((a, b) => a + b, 0) / draws.length;
  const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length;
  expect(Math.abs(mean)).toBeLessThan(0.036); // five standard errors
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  expect([...new Random(9).order(50)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});
