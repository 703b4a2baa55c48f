import { bytesSource, frontFromText, frontKey, readGgufHeader } from "@gristmill/gguf";
import {
  createSession,
  encodeModel,
  type Model as OnnxModel,
  type Session,
  type Tensor,
  tensor,
} from "@gristmill/onnx";
import { describe, expect, it } from "vitest";
import { byteLetters, type LlamaTokenizer } from "../formats/gguf/index.ts";
import { dense } from "../layers/core/dense.ts";
import { embedding } from "../layers/embedding/embedding.ts";
import { reversibleEmbedding } from "../layers/embedding/reversible-embedding.ts";
import type { Layer } from "../layers/layer.ts";
import { rmsNormalization } from "../layers/normalization/rms-normalization.ts";
import { type LlamaDecoderOptions, llamaDecoder } from "../layers/transformer/llama-decoder.ts";
import { Model } from "../model/model.ts";
import { Sequential } from "../model/sequential.ts";
import { input } from "../network/symbolic.ts";
import { normalAt } from "../random/hash.ts";
import { toDecoderOnnx } from "./decoder-onnx.ts";

const vocabulary = byteLetters.length;
const tokenizer: LlamaTokenizer = { kind: "gpt2", tokens: byteLetters, merges: [] };
const [keyHeads, size, blocks] = [2, 8, 2];

const untiedModel = (middle: readonly Layer[]): Model =>
  new Sequential(
    [embedding(vocabulary, 24, { inputShape: [null] }), ...middle, dense(vocabulary, { useBias: false })],
    { seed: 3 },
  );

function tiedModel(middle: readonly Layer[]): Model {
  const table = reversibleEmbedding(vocabulary, 24);
  const ids = input({ shape: [null] });
  const last = middle.reduce((x, layer) => layer.apply(x), table.apply(ids));
  return new Model({ inputs: ids, outputs: table.apply(last) }, { seed: 3 });
}

/** A decoder with weights that are far from what a layer starts with. */
function decoder(settings: LlamaDecoderOptions = {}, tied = false): Model {
  const block = () => llamaDecoder(40, 4, { numKeyValueHeads: keyHeads, headDim: size, epsilon: 1e-3, ...settings });
  const middle = (): Layer[] => [block(), block(), rmsNormalization({ epsilon: 1e-3 })];
  const model = tied ? tiedModel(middle()) : untiedModel(middle());
  const weights = model.getWeights().map(({ name, value }, k) => ({
    name,
    value: { ...value, data: value.data.map((_, i) => Math.fround(normalAt(k + 1, i) * 0.4)) },
  }));
  model.setWeights(weights);
  return model;
}

/** What was read, as the next run takes it. */
type Past = Readonly<Record<string, Tensor>>;

const emptyPast = (batch: number): Past =>
  Object.fromEntries(
    Array.from({ length: blocks }, (_, i) =>
      ["key", "value"].map((part) => [
        `past_key_values.${i}.${part}`,
        tensor("float32", [batch, keyHeads, 0, size], new Float32Array(0)),
      ]),
    ).flat(),
  );

async function read(
  session: Session,
  rows: readonly (readonly number[])[],
  past: Past,
  masked: readonly number[] = rows.map(() => 0),
): Promise<{ logits: Tensor; past: Past }> {
  const batch = rows.length;
  const length = rows[0]?.length ?? 0;
  const before = past["past_key_values.0.key"]?.shape[2] ?? 0;
  const total = before + length;
  const int64 = (shape: number[], value: (row: number, at: number) => number): Tensor =>
    tensor(
      "int64",
      shape,
      BigInt64Array.from({ length: batch * (shape[1] ?? 0) }, (_, i) =>
        BigInt(value(Math.floor(i / (shape[1] ?? 1)), i % (shape[1] ?? 1))),
      ),
    );
  const { outputs } = await session.run({
    input_ids: int64([batch, length], (row, at) => rows[row]?.[at] ?? 0),
    position_ids: int64([batch, length], (row, at) => Math.max(0, before + at - (masked[row] ?? 0))),
    attention_mask: int64([batch, total], (row, at) => (at < (masked[row] ?? 0) ? 0 : 1)),
    ...past,
  });
  const { logits, ...presents } = outputs;
  if (logits === undefined) throw new Error("no logits");
  const next = Object.entries(presents).map(([name, value]) => [name.replace("present.", "past_key_values."), value]);
  return { logits, past: Object.fromEntries(next) };
}

const expectClose = (received: ArrayLike<number | bigint | string>, expected: ArrayLike<number>): void => {
  expect(received.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(Number(received[i])).toBeCloseTo(expected[i] ?? 0, 4);
};

const text = [72, 101, 108, 108, 111, 44, 32, 119, 111, 114, 108, 100];
const options = { tokenizer, contextLength: 64 };

/** Logits of the plain forward pass, a row for each token. */
async function plainLogits(model: Model, tokens: readonly number[]): Promise<Float32Array[]> {
  const { data } = await model.predict({ shape: [1, tokens.length], data: Int32Array.from(tokens) }, { threads: 1 });
  return tokens.map((_, i) => data.slice(i * vocabulary, (i + 1) * vocabulary));
}

async function withSession(file: OnnxModel, use: (session: Session) => Promise<void>): Promise<void> {
  const session = await createSession(encodeModel(file), { threads: 1 });
  try {
    await use(session);
  } finally {
    await session.close();
  }
}

describe("a decoder that remembers", () => {
  it.each([
    ["pairs as halves", {}, false],
    ["neighbours as pairs, scaled positions", { ropeInterleaved: true, ropeScaling: 2, ropeBase: 500 }, false],
    ["an embedding that goes back", {}, true],
    ["a head of keys for each of queries", { numKeyValueHeads: 2, numHeads: 2 }, false],
  ] as const)("reads at once, in pieces and token by token as the plain pass does: %s", async (_, settings, tied) => {
    const model = decoder(settings, tied);
    const plain = await plainLogits(model, text);
    await withSession(await toDecoderOnnx(model, { ...options, logits: "all" }), async (session) => {
      for (const pieces of [[12], [5, 7], [3, 1, 1, 7], text.map(() => 1)]) {
        let past = emptyPast(1);
        let at = 0;
        for (const length of pieces) {
          const step = await read(session, [text.slice(at, at + length)], past);
          expect(step.logits.shape).toEqual([1, length, vocabulary]);
          const expected = plain.slice(at, at + length).flatMap((row) => [...row]);
          expectClose(step.logits.data, expected);
          past = step.past;
          at += length;
        }
      }
    });
    await model.close();
  });

  it("gives the last token's logits alone when nothing else is asked", async () => {
    const model = decoder();
    const plain = await plainLogits(model, text);
    await withSession(await toDecoderOnnx(model, options), async (session) => {
      const { logits } = await read(session, [text], emptyPast(1));
      expect(logits.shape).toEqual([1, 1, vocabulary]);
      expectClose(logits.data, plain.at(-1) ?? []);
    });
    await model.close();
  });

  it("reads texts of several lengths side by side, padded in front", async () => {
    const model = decoder();
    const short = text.slice(4);
    const [long, other] = [await plainLogits(model, text), await plainLogits(model, short)];
    await withSession(await toDecoderOnnx(model, options), async (session) => {
      const rows = [text, [...text.slice(0, 4).map(() => 0), ...short]];
      const { logits } = await read(session, rows, emptyPast(2), [0, 4]);
      expectClose(logits.data, [...(long.at(-1) ?? []), ...(other.at(-1) ?? [])]);
    });
    await model.close();
  });

  it("brings vocabulary and sizes along, and refuses what is no decoder, or has another vocabulary", async () => {
    const model = decoder();
    const { metadata } = await toDecoderOnnx(model, options);
    const { metadata: front } = await readGgufHeader(bytesSource(frontFromText(metadata[frontKey] ?? "")));
    expect(front.get("llama.context_length")?.value).toBe(64);
    const wrong = { ...options, tokenizer: { ...tokenizer, tokens: byteLetters.slice(1) } };
    await expect(toDecoderOnnx(model, wrong)).rejects.toThrow("expected 256 tokens");
    const other = new Sequential([dense(3, { inputShape: [2] })], { seed: 1 });
    await expect(toDecoderOnnx(other, options)).rejects.toThrow("expected embedding, llamaDecoder blocks");
    await expect(toDecoderOnnx(model, { tokenizer })).rejects.toThrow("expected contextLength");
  });
});
