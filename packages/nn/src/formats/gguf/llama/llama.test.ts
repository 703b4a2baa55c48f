/** @file Decoders as GGUF: names, order of rows, tokenizers; and what llama.cpp answered (fixtures/gguf/prove-llama.ts). */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { llamaCases, writeCase } from "../../../../fixtures/gguf/llama-cases.ts";
import { referenceLogits } from "../../../../fixtures/gguf/llama-reference.ts";
import { SpecError } from "../../../errors.ts";
import { MemorySink } from "../../byte-sink.ts";
import { bytesSource } from "../../byte-source.ts";
import { byteTokens, GgufFile, type GgufValue, vocabularyProblems } from "../index.ts";
import {
  byteLetters,
  interleaveHeads,
  type LlamaDescription,
  type LlamaTokenizer,
  pieceVocabularyStart,
  separateHeads,
  writeLlamaGguf,
} from "./index.ts";

interface Answers {
  readonly cases: readonly { name: string; sha256: string; tokens: number[]; logits: number[] }[];
}
const answers = JSON.parse(
  readFileSync(new URL("../../../../fixtures/gguf/llama-logits.json", import.meta.url), "utf8"),
) as Answers;
const cases = llamaCases();
const bytesOfCase = async (index: number): Promise<Uint8Array> => {
  const sink = new MemorySink();
  const made = cases[index];
  if (made !== undefined) await writeCase(sink, made);
  return sink.bytes();
};

describe("writeLlamaGguf", () => {
  for (const [i, { name, type, sizes, weights }] of cases.entries()) {
    it(`makes the file that llama.cpp loaded: ${name}`, async () => {
      expect(answers.cases[i]?.name).toBe(name);
      expect(
        createHash("sha256")
          .update(await bytesOfCase(i))
          .digest("hex"),
      ).toBe(answers.cases[i]?.sha256);
    });

    if (type === "F32")
      it(`makes llama.cpp answer as the formulas do: ${name}`, () => {
        const { tokens = [], logits = [] } = answers.cases[i] ?? {};
        const expected = referenceLogits(sizes, weights, tokens).at(-1) ?? new Float64Array();
        expect(expected.length).toBe(logits.length);
        // llama.cpp computes in float32
        expect(Math.max(...expected.map((value, token) => Math.abs(value - (logits[token] ?? 99))))).toBeLessThan(1e-3);
      });
  }

  it("writes names, shapes and sizes as llama.cpp looks for them", async () => {
    const { header } = await GgufFile.open(bytesSource(await bytesOfCase(2)));
    const block = (i: number) =>
      ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"].map(
        (name) => `blk.${i}.${name}.weight`,
      );
    expect([...header.tensors.keys()]).toEqual([
      "token_embd.weight",
      ...block(0),
      ...block(1),
      ...block(2),
      "output_norm.weight",
      "output.weight",
    ]);
    expect(header.tensors.get("blk.1.attn_q.weight")?.shape).toEqual([128, 64]);
    expect(header.tensors.get("blk.1.attn_k.weight")?.shape).toEqual([64, 64]);
    expect(header.tensors.get("blk.1.attn_output.weight")?.shape).toEqual([64, 128]);
    expect(header.tensors.get("blk.1.ffn_down.weight")?.shape).toEqual([64, 96]);
    const values = Object.fromEntries([...header.metadata].map(([key, { value }]) => [key, value]));
    expect(values).toMatchObject({
      "general.architecture": "llama",
      "general.file_type": 0,
      "llama.block_count": 3,
      "llama.context_length": 128,
      "llama.embedding_length": 64,
      "llama.feed_forward_length": 96,
      "llama.attention.head_count": 4,
      "llama.attention.head_count_kv": 2,
      "llama.attention.key_length": 32,
      "llama.rope.dimension_count": 32,
      "llama.rope.freq_base": 5000,
      "llama.attention.layer_norm_rms_epsilon": Math.fround(1e-5),
      "llama.vocab_size": 260,
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "gpt-2",
      "tokenizer.ggml.eos_token_id": 259,
    });
  });

  it("leaves a tied output out, and keeps norms as F32 and the vocabulary of Q4_0 as Q8_0", async () => {
    const tied = await GgufFile.open(bytesSource(await bytesOfCase(1)));
    expect(tied.header.tensors.has("output.weight")).toBe(false);
    const { tensors } = (await GgufFile.open(bytesSource(await bytesOfCase(6)))).header;
    const types = ["token_embd", "output", "blk.0.ffn_up", "blk.0.ffn_norm"].map(
      (name) => tensors.get(`${name}.weight`)?.type,
    );
    expect(types).toEqual(["Q8_0", "Q8_0", "Q4_0", "F32"]);
  });

  it("keeps a decoder's answers when rows move from halves to interleaved", async () => {
    const made = cases[0];
    if (made === undefined) return expect.fail("no case");
    const file = await GgufFile.open(bytesSource(await bytesOfCase(0)));
    const moved = await Promise.all(
      made.weights.blocks.map(async (block, i) => ({
        ...block,
        query: await file.read(`blk.${i}.attn_q.weight`),
        key: await file.read(`blk.${i}.attn_k.weight`),
      })),
    );
    expect(moved[0]?.query).not.toEqual(made.weights.blocks[0]?.query);
    const tokens = [5, 100, 7, 270];
    const before = referenceLogits(made.sizes, made.weights, tokens).at(-1) ?? [];
    const after =
      referenceLogits({ ...made.sizes, ropeLayout: "interleaved" }, { ...made.weights, blocks: moved }, tokens).at(
        -1,
      ) ?? [];
    expect(Math.max(...Array.from(before, (value, i) => Math.abs(value - (after[i] ?? 99))))).toBeLessThan(1e-9);
  });

  it("moves rows within heads, and back", () => {
    const matrix = Float32Array.from({ length: 8 * 2 }, (_, i) => i);
    const moved = interleaveHeads(matrix, 4, 2);
    expect([...moved]).toEqual([0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
    expect(separateHeads(moved, 4, 2)).toEqual(matrix);
    expect(interleaveHeads(matrix, 2, 2)).toEqual(matrix);
  });

  it("lists everything that is wrong with a description", async () => {
    const made = cases[0];
    if (made === undefined) return expect.fail("no case");
    const sink = new MemorySink();
    const write = (change: Partial<LlamaDescription>, tokenizer: LlamaTokenizer = made.tokenizer) => {
      const description = { name: "x", contextLength: 128, blocks: 3, ...made.sizes, ...change };
      return writeLlamaGguf(sink, { description, weights: made.weights, tokenizer });
    };
    await expect(write({ heads: 0, normEpsilon: Number.NaN, ropeLayout: "both" as "halves" })).rejects.toThrow(
      /heads: expected a whole number from 1, received 0\n[\s\S]*normEpsilon: expected a number above 0, received NaN\n[\s\S]*ropeLayout: expected "interleaved" or "halves", received "both"/,
    );
    await expect(write({ keyValueHeads: 3 })).rejects.toThrow(
      "keyValueHeads: expected a divisor of heads, 4, received 3",
    );
    await expect(write({ headWidth: 15 })).rejects.toThrow("headWidth: expected an even number");
    await expect(write({ blocks: 2 })).rejects.toThrow(
      "weights.blocks: expected 2 blocks, as the description says, received 3",
    );
    await expect(write({ vocabularySize: 276 })).rejects.toThrow(
      "expected 276 tokens, the description's vocabularySize, received 277",
    );
    await expect(write({}, { ...made.tokenizer, endId: 277 })).rejects.toThrow(
      "eos_token_id: expected the number of a token, 0 to 276, received 277",
    );
    await expect(write({ width: 63 })).rejects.toThrow("tensor");
    const { ropeLayout, ...sizes } = made.sizes;
    const short = {
      name: "x",
      contextLength: 8,
      blocks: 3,
      ropeLayout,
      ...sizes,
      headWidth: undefined as never,
      heads: 5,
    };
    await expect(
      writeLlamaGguf(sink, { description: short, weights: made.weights, tokenizer: made.tokenizer }),
    ).rejects.toThrow(SpecError);
  });

  it("writes nothing of weights that do not fit", async () => {
    const made = cases[1];
    if (made === undefined) return expect.fail("no case");
    const weights = { ...made.weights, outputNorm: new Float32Array(3) };
    const writing = writeCase(new MemorySink(), { ...made, weights });
    await expect(writing).rejects.toThrow('tensor "output_norm.weight": expected 64 numbers for [64], received 3');
  });
});

describe("vocabularyProblems", () => {
  const strings = (...values: string[]): GgufValue => ({ type: "array", value: { of: "string", values } });
  const kind = (value: string): [string, GgufValue] => ["tokenizer.ggml.model", { type: "string", value }];
  const messages = (...entries: [string, GgufValue][]) =>
    vocabularyProblems(new Map(entries)).map(({ where, message }) => `${where}: ${message}`);

  it("finds tokens that are said twice or empty: llama.cpp ends its process on them", () => {
    const tokens = strings("a", "b", "a", "", "a");
    expect(messages(kind("gpt2"), ["tokenizer.ggml.tokens", tokens], ["tokenizer.ggml.merges", strings()])).toEqual([
      'tokenizer.ggml.tokens[2]: expected each token once, received "a", which is token 0 too',
      "tokenizer.ggml.tokens[3]: expected a text, received an empty one",
      'tokenizer.ggml.tokens[4]: expected each token once, received "a", which is token 0 too',
    ]);
  });

  it("finds lists of other lengths, ids of no token, and merges of no tokens", () => {
    const scores: GgufValue = { type: "array", value: { of: "float32", values: Float32Array.of(1) } };
    expect(
      messages(
        kind("gpt2"),
        ["tokenizer.ggml.tokens", strings("a", "b", "ab")],
        ["tokenizer.ggml.scores", scores],
        ["tokenizer.ggml.bos_token_id", { type: "uint32", value: 3 }],
        ["tokenizer.ggml.merges", strings("a b", "b a", "a c", "ab", "a b a")],
      ),
    ).toEqual([
      "tokenizer.ggml.scores: expected a list as long as the tokens, 3, received 1",
      "tokenizer.ggml.bos_token_id: expected the number of a token, 0 to 2, received 3",
      'tokenizer.ggml.merges[1]: expected two tokens, with one space between, whose union is a token, received "b a"',
      'tokenizer.ggml.merges[2]: expected two tokens, with one space between, whose union is a token, received "a c"',
      'tokenizer.ggml.merges[3]: expected two tokens, with one space between, whose union is a token, received "ab"',
      'tokenizer.ggml.merges[4]: expected two tokens, with one space between, whose union is a token, received "a b a"',
    ]);
  });

  it("finds missing byte tokens, a vocabulary without a list, and stops after twenty", () => {
    expect(messages(kind("llama"), ["tokenizer.ggml.tokens", strings(...byteTokens.slice(1))])).toEqual([
      "tokenizer.ggml.tokens: expected all 256 byte tokens <0x00> to <0xFF>, 1 are missing, the first <0x00>",
    ]);
    expect(messages(kind("gpt2"))).toEqual(["tokenizer.ggml.tokens: expected a list of texts"]);
    const same = strings(...Array.from({ length: 50 }, () => "a"));
    expect(messages(kind("gpt2"), ["tokenizer.ggml.tokens", same], ["tokenizer.ggml.merges", strings()]).at(-1)).toBe(
      "tokenizer: 29 more problems",
    );
    expect(vocabularyProblems(new Map())).toEqual([]);
  });

  it("finds nothing in vocabularies made here", () => {
    const { tokens } = pieceVocabularyStart();
    expect(messages(kind("llama"), ["tokenizer.ggml.tokens", strings(...tokens)])).toEqual([]);
    expect(new Set(byteLetters).size).toBe(256);
    expect([byteLetters[0x20], byteLetters[0x61], byteLetters[0x00], byteLetters[0xad]]).toEqual([
      "\u0120",
      "a",
      "\u0100",
      "\u0143",
    ]);
  });
});
