import { describe, expect, it } from "vitest";
import { powerSpectrum } from "../../examples/data/speech/fourier.ts";
import { logMel, melDefaults } from "../../examples/data/speech/log-mel.ts";
import { parseWav, partsOf } from "../../examples/data/speech/sound.ts";
import { voices } from "../../examples/data/speech/voices.ts";
import { Random } from "../../examples/random.ts";

const rate = 22_050;
const sine = (hertz: number, samples: number, loudness = 1): Float32Array =>
  Float32Array.from({ length: samples }, (_, i) => loudness * Math.sin((2 * Math.PI * hertz * i) / rate));

describe("the spectrum", () => {
  it("is that of the definition", () => {
    const random = new Random(3);
    for (const n of [2, 4, 16, 64]) {
      const signal = Array.from({ length: n }, () => random.normal());
      const expected = Array.from({ length: n / 2 + 1 }, (_, k) => {
        const part = (wave: (angle: number) => number) =>
          signal.reduce((sum, value, i) => sum + value * wave((2 * Math.PI * k * i) / n), 0);
        return part(Math.cos) ** 2 + part(Math.sin) ** 2;
      });
      const received = powerSpectrum(n)(signal);
      for (const [k, value] of expected.entries()) expect(received[k]).toBeCloseTo(value, 9);
    }
  });

  it("needs a power of two, and as many samples", () => {
    for (const n of [0, 1, 3, 1000]) expect(() => powerSpectrum(n)).toThrow(`a power of two of samples, received ${n}`);
    expect(() => powerSpectrum(4)([1, 2])).toThrow("signal: expected 4 samples, received 2");
  });
});

describe("log-mel frames", () => {
  it("show a tone in its band, higher tones in higher bands", () => {
    const loudest = [150, 400, 1000, 3000, 7000].map((hertz) => {
      const [frame = new Float32Array(1)] = logMel(sine(hertz, 512));
      return frame.indexOf(Math.max(...frame));
    });
    expect(loudest).toEqual([...loudest].sort((a, b) => a - b));
    expect(new Set(loudest).size).toBe(5);
  });

  it("are as many as fit, of finite numbers even for silence", () => {
    expect(logMel(new Float32Array(511))).toEqual([]);
    expect(logMel(new Float32Array(512 + 256))).toHaveLength(2);
    const numbers = logMel(new Float32Array(600)).flatMap((frame) => [...frame]);
    expect(numbers).toHaveLength(melDefaults.bands);
    expect(numbers.every(Number.isFinite)).toBe(true);
  });
});

describe("a WAV file", () => {
  const wav = (samples: number[], { channels = 1, size = samples.length * 2 } = {}): Buffer => {
    const file = Buffer.alloc(44 + samples.length * 2);
    file.write("RIFF", 0).toString();
    file.write("WAVEfmt ", 8);
    file.writeUInt32LE(16, 16);
    file.writeUInt16LE(1, 20);
    file.writeUInt16LE(channels, 22);
    file.writeUInt32LE(rate, 24);
    file.writeUInt16LE(16, 34);
    file.write("data", 36);
    file.writeUInt32LE(size, 40);
    for (const [i, sample] of samples.entries()) file.writeInt16LE(sample, 44 + 2 * i);
    return file;
  };

  it("is read, also when it was written by one that did not know its length", () => {
    for (const size of [4, 0x7fffffff])
      expect(parseWav(wav([16384, -32768], { size }), "a")).toEqual({ rate, samples: Float32Array.of(0.5, -1) });
  });

  it("of another kind, or none, is refused by name", () => {
    expect(() => parseWav(wav([1], { channels: 2 }), "b.wav")).toThrow(/b\.wav: .*16 bits in 2 channels/);
    expect(() => parseWav(Buffer.from("no"), "c.wav")).toThrow("c.wav: expected a WAV file");
    expect(() => parseWav(wav([]).subarray(0, 36), "d.wav")).toThrow("d.wav: expected a chunk of samples");
  });
});

describe("parts between pauses", () => {
  const silence = (ms: number) => new Float32Array((rate * ms) / 1000);
  const join = (...pieces: Float32Array[]) => Float32Array.from(pieces.flatMap((piece) => [...piece]));

  it("are cut at long pauses only, without the silence around", () => {
    const word = join(sine(300, 2000), silence(100), sine(300, 2000));
    const parts = partsOf({ rate, samples: join(silence(300), word, silence(400), sine(500, 900), silence(50)) });
    expect(parts).toHaveLength(2);
    expect(Math.abs((parts[0]?.length ?? 0) - word.length)).toBeLessThan(10);
  });

  it("are none in silence", () => {
    expect(partsOf({ rate, samples: silence(500) })).toEqual([]);
    expect(partsOf({ rate, samples: new Float32Array() })).toEqual([]);
  });
});

it("test speakers are never heard in training", () => {
  const [train, test] = [voices("train", 3), voices("test", 2)];
  const heard = new Set(train.map(({ speaker }) => speaker.toLowerCase()));
  expect(test.filter(({ speaker }) => heard.has(speaker.toLowerCase()))).toEqual([]);
  expect(new Set(train.map(({ name, speed }) => `${name} ${speed}`)).size).toBe(train.length);
});
