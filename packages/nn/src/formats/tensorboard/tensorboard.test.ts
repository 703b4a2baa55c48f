/** @file Event files, against bytes that TensorBoard read and wrote (fixtures/tensorboard/check.py). */
import { readFileSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeEvents } from "../../../fixtures/tensorboard/events.ts";
import { type ByteSink, fileSink, MemorySink } from "../byte-sink.ts";
import { FileFormatError } from "../format-error.ts";
import { crc32c, maskedCrc32c } from "./crc32c.ts";
import { EventWriter, eventFileName, histogramOf, readEvents } from "./index.ts";
import { frameRecord, readRecords } from "./records.ts";

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../fixtures/tensorboard/${name}`, import.meta.url)));

describe("event files", () => {
  it("are the bytes that TensorBoard read", async () => {
    const sink = new MemorySink();
    await writeEvents(sink);
    expect(Buffer.from(sink.bytes()).equals(fixture("ours.tfevents"))).toBe(true);
  });

  it("are read back as they were written", () => {
    const events = [...readEvents(fixture("ours.tfevents"))];
    expect(events[0]).toEqual({
      step: 0,
      wallTimeSeconds: 1_700_000_000,
      fileVersion: "brain.Event:2",
      values: new Map(),
    });
    expect(events[2]).toMatchObject({ step: 1, wallTimeSeconds: 1_700_000_001.5, fileVersion: undefined });
    expect(events[2]?.values.get("epoch/loss")).toEqual({ kind: "scalar", value: 0.5 });
    expect(events[2]?.values.get("weights/dense_1")).toEqual({
      kind: "histogram",
      histogram: histogramOf(Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 2)),
    });
    expect(events[6]?.values.get("note")).toEqual({ kind: "text", text: "**é😀** from here" });
    const image = events[7]?.values.get("picture");
    expect(image?.kind === "image" && image.png.length).toBe(76);
    expect(events[8]?.values.get("lost")).toEqual({ kind: "scalar", value: Number.NaN });
  });

  it("of TensorBoard's own writer are read", () => {
    const [version, ...events] = [...readEvents(fixture("theirs.tfevents"))];
    expect(version?.fileVersion).toBe("brain.Event:2");
    expect(events.map(({ step, wallTimeSeconds }) => [step, wallTimeSeconds - 1.7e9])).toEqual([
      [0, 0],
      [1, 1],
      [12345678, 12345678],
    ]);
    expect(events[1]?.values).toEqual(new Map([["loss", { kind: "scalar", value: 0.25 }]]));
  });

  it("that are still written end before the record that is not whole", () => {
    const bytes = fixture("ours.tfevents");
    const all = [...readEvents(bytes)].length;
    for (let length = 0; length < bytes.length; length += 7)
      expect([...readEvents(bytes.subarray(0, length))].length).toBeLessThan(all);
    expect([...readEvents(new Uint8Array())]).toEqual([]);
  });

  it("that are damaged give an error or less, and never other values", () => {
    const bytes = fixture("ours.tfevents");
    const whole = [...readRecords(bytes)].map((record) => Buffer.from(record).toString("hex"));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const damaged = Uint8Array.from(bytes);
        damaged[place] = (damaged[place] ?? 0) ^ change;
        let read = 0;
        try {
          for (const record of readRecords(damaged)) expect(Buffer.from(record).toString("hex")).toBe(whole[read++]);
        } catch (error) {
          expect(error).toBeInstanceOf(FileFormatError);
        }
        expect(read).toBeLessThan(whole.length);
      }),
      { numRuns: 300 },
    );
  });

  it("with checksums that fit around nonsense give an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        try {
          for (const event of readEvents(frameRecord(noise))) expect(event.step).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(FileFormatError);
        }
      }),
      { numRuns: 2000 },
    );
    expect(() => [...readRecords(new TextEncoder().encode("no event file at all"))]).toThrow("or no TFRecord file");
  });
});

describe("EventWriter", () => {
  it("appends to a file, in order, also when nobody waits", async () => {
    const path = join(tmpdir(), `gristmill-${process.pid}.tfevents`);
    const handle = await open(path, "w+");
    try {
      const writer = await EventWriter.start(fileSink(handle), 5);
      const writing = Array.from({ length: 50 }, (_, step) =>
        writer.write({ step, wallTimeSeconds: 6 }, { loss: { kind: "scalar", value: step } }),
      );
      await Promise.all(writing);
      const steps = [...readEvents(new Uint8Array(readFileSync(path)))].slice(1).map(({ step }) => step);
      expect(steps).toEqual(Array.from({ length: 50 }, (_, i) => i));
    } finally {
      await handle.close();
      await rm(path);
    }
  });

  it("goes on after a write that failed, and tells whose it was", async () => {
    const kept = new MemorySink();
    let isFull = false;
    const sink: ByteSink = {
      write: async (bytes) => (isFull ? Promise.reject(new Error("disk full")) : kept.write(bytes)),
    };
    const writer = await EventWriter.start(sink, 5);
    const at = (step: number) => writer.write({ step, wallTimeSeconds: 6 }, { loss: { kind: "scalar", value: 1 } });
    isFull = true;
    await expect(at(1)).rejects.toThrow("disk full");
    isFull = false;
    await at(2);
    expect([...readEvents(kept.bytes())].map(({ step }) => step)).toEqual([0, 2]);
  });

  it("refuses steps, times, tags and images that are none", async () => {
    const writer = await EventWriter.start(new MemorySink(), 5);
    const scalar = { kind: "scalar", value: 1 } as const;
    for (const step of [-1, 0.5, Number.NaN, 2 ** 60])
      await expect(writer.write({ step, wallTimeSeconds: 1 }, { a: scalar })).rejects.toThrow(
        "expected step to be a whole number from 0",
      );
    await expect(writer.write({ step: 1, wallTimeSeconds: Number.NaN }, { a: scalar })).rejects.toThrow(
      "expected wallTimeSeconds",
    );
    await expect(writer.write({ step: 1, wallTimeSeconds: 1 }, { "": scalar })).rejects.toThrow(
      "a tag of at least one letter",
    );
    const jpeg = { kind: "image", png: Uint8Array.of(0xff, 0xd8) } as const;
    await expect(writer.write({ step: 1, wallTimeSeconds: 1 }, { a: jpeg })).rejects.toThrow(
      'image "a": expected a PNG file, received 2 other bytes',
    );
  });

  it("names files so that two never share one, and no host's name leaves the folder", () => {
    expect(eventFileName({ startSeconds: 1700000000.9, host: "a-b.local", processId: 7, count: 2 })).toBe(
      "events.out.tfevents.1700000000.a-b.local.7.2",
    );
    expect(eventFileName({ startSeconds: 5, host: "../é", processId: 7, count: 0 })).toBe(
      "events.out.tfevents.0000000005...__.7.0",
    );
  });
});

describe("histogramOf", () => {
  it("counts each number once, the largest in the last bucket", () => {
    const { limits, counts, ...rest } = histogramOf([0, 1, 2, 3], 3);
    expect(rest).toEqual({ min: 0, max: 3, count: 4, sum: 6, sumOfSquares: 14 });
    expect([...limits]).toEqual([1, 2, 3].map((limit) => expect.closeTo(limit, 12)));
    expect([...counts]).toEqual([1, 1, 2]);
  });

  it("has one bucket for equal numbers, and none for none", () => {
    expect(histogramOf([2, 2])).toEqual({
      min: 2,
      max: 2,
      count: 2,
      sum: 4,
      sumOfSquares: 8,
      limits: Float64Array.of(2),
      counts: Float64Array.of(2),
    });
    expect(histogramOf([Number.NaN, Infinity])).toMatchObject({ count: 0, limits: new Float64Array() });
  });

  it("leaves NaN and infinity out, and takes the widest range", () => {
    const { counts, count, limits } = histogramOf([-Number.MAX_VALUE, 0, Number.MAX_VALUE, Number.NaN, -Infinity]);
    expect(count).toBe(3);
    expect(counts.reduce((sum, value) => sum + value)).toBe(3);
    expect(limits.every(Number.isFinite)).toBe(true);
    expect([counts[0], counts[15], counts[29]]).toEqual([1, 1, 1]);
  });
});

describe("crc32c", () => {
  it("gives the sums of RFC 3720, B.4", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(maskedCrc32c(new Uint8Array())).toBe(0xa282ead8);
  });
});
