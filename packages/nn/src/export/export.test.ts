import { describe, expect, it } from "vitest";
import { languageModel, tokenizer } from "../../fixtures/gguf/language-model.ts";
import { referenceLogits } from "../../fixtures/gguf/llama-reference.ts";
import { DataError, NnError } from "../errors.ts";
import { MemorySink } from "../formats/byte-sink.ts";
import { bytesSource } from "../formats/byte-source.ts";
import { FileFormatError } from "../formats/format-error.ts";
import { GgufFile } from "../formats/gguf/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors/index.ts";
import {
  add,
  dense,
  dropout,
  embedding,
  input,
  type Layer,
  llamaDecoder,
  Model,
  rmsNormalization,
  Sequential,
} from "../index.ts";
import { fromSafetensors, loadSafetensors, toLlamaGguf, toSafetensors } from "./index.ts";

const small = (seed = 1) =>
  new Sequential([dense(4, { inputShape: [3], activation: "tanh", name: "zeta" }), dense(2, { name: "alpha" })], {
    seed,
  });

describe("toSafetensors", () => {
  it("keeps a model: weights bit for bit in Keras' order, layers, seed", () => {
    const model = small(7);
    const bytes = toSafetensors(model, { metadata: { license: "CC0-1.0" } });
    const file = decodeSafetensors(bytes);
    expect([...file.tensors.keys()]).toEqual(["zeta/kernel", "zeta/bias", "alpha/kernel", "alpha/bias"]);
    expect(file.metadata["license"]).toBe("CC0-1.0");
    const back = fromSafetensors(bytes);
    expect(back.getWeights()).toEqual(model.getWeights());
    expect(back.toSpec()).toEqual(model.toSpec());
    expect(back.seed).toBe(7);
  });

  it("keeps a graph of layers, and its answers", async () => {
    const x = input({ shape: [3] });
    const h = dense(3, { activation: "relu" }).apply(x);
    const model = new Model({ inputs: x, outputs: add().apply([h, x]) }, { seed: 2 });
    const back = fromSafetensors(toSafetensors(model));
    const sample = [[1, -2, 3]];
    expect((await back.predict(sample, { threads: 1 })).data).toEqual(
      (await model.predict(sample, { threads: 1 })).data,
    );
    await Promise.all([model.close(), back.close()]);
  });

  it("rounds to short floats, and refuses what they cannot hold", () => {
    const model = small();
    for (const [dtype, error] of [
      ["float16", 2 ** -11],
      ["bfloat16", 2 ** -8],
    ] as const) {
      const bytes = toSafetensors(model, { dtype });
      expect(decodeSafetensors(bytes).tensors.get("zeta/kernel")?.dtype).toBe(dtype);
      const [own, theirs] = [model, fromSafetensors(bytes)].map((one) => one.getWeights()[0]?.value.data ?? []);
      for (const [i, value] of [...(own ?? [])].entries())
        expect(Math.abs((theirs?.[i] ?? 9) - value)).toBeLessThanOrEqual(error * Math.abs(value));
    }
    const weights = model.getWeights();
    weights[0]?.value.data.fill(1e6);
    model.setWeights(weights);
    expect(() => toSafetensors(model, { dtype: "float16" })).toThrow(
      "zeta/kernel: 1000000 is too large for float16; write the model as float32 or bfloat16",
    );
  });
});

describe("fromSafetensors", () => {
  it("refuses files without a description, with a damaged one, and with other weights", () => {
    const model = small();
    const { tensors, metadata } = decodeSafetensors(toSafetensors(model));
    expect(() => fromSafetensors(encodeSafetensors(tensors))).toThrow(
      "expected a description under gristmill.spec; build the model and use loadSafetensors",
    );
    expect(() => fromSafetensors(encodeSafetensors(tensors, { "gristmill.spec": "{" }))).toThrow(FileFormatError);
    expect(() =>
      fromSafetensors(encodeSafetensors(tensors, { "gristmill.spec": '{"layers":[{"type":"dens"}]}' })),
    ).toThrow('did you mean "dense"');
    const less = new Map([...tensors].slice(1));
    expect(() => fromSafetensors(encodeSafetensors(less, metadata))).toThrow(
      "zeta/kernel: expected [3,4], received no such tensor",
    );
    const more = new Map([...tensors, ["other", { dtype: "float32", shape: [1], data: Float32Array.of(1) } as const]]);
    expect(() => fromSafetensors(encodeSafetensors(more, metadata))).toThrow("weights: expected zeta/kernel");
  });

  it("allocates nothing that a description only claims", () => {
    const spec = JSON.stringify({ inputShape: [1], layers: [{ type: "dense", units: 50_000_000 }] });
    const before = process.memoryUsage().arrayBuffers;
    expect(() => fromSafetensors(encodeSafetensors({}, { "gristmill.spec": spec }))).toThrow(
      "dense_1/kernel: expected [1,50000000], received no such tensor",
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  });
});

describe("loadSafetensors", () => {
  const file = (data: Float64Array) =>
    new Map([
      ["torch.weight", { dtype: "float64", shape: [4, 2], data } as const],
      ["torch.steps", { dtype: "int64", shape: [], data: BigInt64Array.of(3n) } as const],
    ]);
  const rename = (name: string) => (name === "torch.weight" ? "alpha/kernel" : undefined);

  it("takes some weights over under other names and types", () => {
    const model = small();
    const before = model.getWeights();
    loadSafetensors(model, file(Float64Array.from({ length: 8 }, (_, i) => i)), { rename, isPartial: true });
    const after = model.getWeights();
    expect([...(after[2]?.value.data ?? [])]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(after[0]).toEqual(before[0]);
  });

  it("refuses weights that are missing, unknown, of another shape, or whole numbers", () => {
    const tensors = file(new Float64Array(8));
    expect(() => loadSafetensors(small(), tensors, { rename })).toThrow(DataError);
    expect(() => loadSafetensors(small(), tensors, { isPartial: true })).toThrow(
      "torch.steps: expected a floating type, received int64; leave it out by rename",
    );
    expect(() =>
      loadSafetensors(small(), tensors, {
        rename: (name) => (name === "torch.weight" ? name : undefined),
        isPartial: true,
      }),
    ).toThrow("the model has no such weight");
    expect(() =>
      loadSafetensors(small(), tensors, {
        rename: (name) => (name === "torch.weight" ? "zeta/kernel" : undefined),
        isPartial: true,
      }),
    ).toThrow("expected float32 [3, 4], received float32 [4, 2]");
  });
});

describe("toLlamaGguf", () => {
  const tokens = [84, 104, 101, 32, 114];

  for (const kind of ["own", "tied", "interleaved"] as const)
    it(`writes weights that give the model's answers by llama's formulas: ${kind}`, async () => {
      const model = languageModel(kind);
      const sink = new MemorySink();
      await toLlamaGguf(sink, model, { tokenizer, contextLength: 64, type: "F32" });
      const file = await GgufFile.open(bytesSource(sink.bytes()));
      const number = (key: string): number => Number(file.header.metadata.get(`llama.${key}`)?.value);
      const read = (name: string) => file.read(`${name}.weight`);
      const block = async (i: number) => ({
        attentionNorm: await read(`blk.${i}.attn_norm`),
        query: await read(`blk.${i}.attn_q`),
        key: await read(`blk.${i}.attn_k`),
        value: await read(`blk.${i}.attn_v`),
        attentionOutput: await read(`blk.${i}.attn_output`),
        feedForwardNorm: await read(`blk.${i}.ffn_norm`),
        gate: await read(`blk.${i}.ffn_gate`),
        up: await read(`blk.${i}.ffn_up`),
        down: await read(`blk.${i}.ffn_down`),
      });
      const rows = await read("token_embd");
      const expected = referenceLogits(
        {
          width: number("embedding_length"),
          heads: number("attention.head_count"),
          keyValueHeads: number("attention.head_count_kv"),
          headWidth: number("attention.key_length"),
          feedForwardWidth: number("feed_forward_length"),
          vocabularySize: number("vocab_size"),
          ropeBase: number("rope.freq_base"),
          ropeLayout: "interleaved", // as llama.cpp turns them
          normEpsilon: number("attention.layer_norm_rms_epsilon"),
        },
        {
          embedding: rows,
          blocks: [await block(0), await block(1)],
          outputNorm: await read("output_norm"),
          output: kind === "tied" ? rows : await read("output"),
        },
        tokens,
      );
      const answers = await model.predict({ shape: [1, tokens.length], data: Int32Array.from(tokens) }, { threads: 1 });
      await model.close();
      // the model computes in float32, the formulas in float64
      for (const [i, value] of expected.flatMap((row) => [...row]).entries())
        if (Math.abs(value - (answers.data[i] ?? 9)) > 1e-5) expect.fail(`logit ${i}`);
    });

  it("writes a scaling of positions, and the steps of the model's input", async () => {
    const sink = new MemorySink();
    await toLlamaGguf(sink, languageModel("scaled"), { tokenizer, contextLength: 64, name: "bytes" });
    const { metadata } = (await GgufFile.open(bytesSource(sink.bytes()))).header;
    expect(metadata.get("llama.rope.scaling.type")?.value).toBe("linear");
    expect(metadata.get("llama.rope.scaling.factor")?.value).toBe(2);
    expect(metadata.get("general.name")?.value).toBe("bytes");
  });

  it("refuses what llama has no place for, and says what to change", async () => {
    const count = tokenizer.tokens.length;
    const norm = (epsilon = 1e-5) => rmsNormalization({ epsilon });
    const head = (more = {}) => dense(count, { useBias: false, ...more });
    const write = (layers: readonly Layer[], steps: number | null = 8) => {
      const model = new Sequential([embedding(count, 8, { inputShape: [steps] }), ...layers]);
      return toLlamaGguf(new MemorySink(), model, { tokenizer });
    };
    const refused = async (writing: Promise<void>, message: string): Promise<void> => {
      await expect(writing).rejects.toThrow(message);
      await expect(writing).rejects.toThrow(NnError);
    };
    await expect(
      write([llamaDecoder(8, 2), dropout(0.5), norm(), head({ activation: "softmax" })]),
    ).resolves.toBeUndefined();
    await refused(write([llamaDecoder(8, 2), norm(), head()], null), "expected contextLength");
    await refused(write([llamaDecoder(8, 2), norm(), dense(count)]), "expected dense_1 without a bias");
    await refused(
      write([llamaDecoder(8, 2), norm(), head({ activation: "tanh" })]),
      'expected dense_1 to be linear or softmax, received "tanh"',
    );
    await refused(
      write([llamaDecoder(8, 2), norm(), dense(3, { useBias: false })]),
      "a logit for each of 257 tokens, received 3",
    );
    await refused(
      write([llamaDecoder(8, 2), norm(1e-6), head()]),
      "expected the same epsilon everywhere, received 0.00001 in llamaDecoder_1 and 0.000001 in rmsNormalization_1",
    );
    await refused(
      write([llamaDecoder(8, 2), llamaDecoder(16, 2), norm(), head()]),
      "expected the same intermediateDim in all blocks, received 8 in llamaDecoder_1 and 16 in llamaDecoder_2",
    );
    await refused(write([llamaDecoder(8, 2), head()]), "received embedding, llamaDecoder, dense");
    await refused(write([norm(), head()]), "expected embedding, llamaDecoder blocks");
    const two = input({ shape: [8], dtype: "int32" });
    const vectors = embedding(count, 8).apply(two);
    const branched = new Model({ inputs: two, outputs: add().apply([vectors, norm().apply(vectors)]) });
    await refused(toLlamaGguf(new MemorySink(), branched, { tokenizer }), "expected layers that follow one another");
  });
});
