/** @file One decoder as GGUF on llama.cpp and as ONNX with a cache on ONNX Runtime: the same answers. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  EngineRunError,
  type LanguageEngine,
  type LanguageEngineOptions,
  loadLlamaEngine,
  loadOnnxLanguageEngine,
  type TokenProbability,
  type WrittenToken,
} from "@gristmill/engine";
import {
  byteLetters,
  dense,
  embedding,
  type LlamaTokenizer,
  llamaDecoder,
  MemorySink,
  rmsNormalization,
  Sequential,
  toDecoderOnnx,
  toLlamaGguf,
} from "@gristmill/nn";
import { encodeModel } from "@gristmill/onnx";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  describeLanguageEngine,
  readAnswer,
  type WholeAnswer,
} from "../../packages/engine/src/language/testing/describe-language-engine.ts";

const end = byteLetters.length;
const tokenizer: LlamaTokenizer = {
  kind: "gpt2",
  tokens: [...byteLetters, "<|end|>"],
  merges: [],
  types: [...byteLetters.map(() => "normal" as const), "control"],
  endId: end,
  chatTemplate: "{% for message in messages %}{{ message.content }}\n{% endfor %}",
};
const options: LanguageEngineOptions = {
  name: "tiny",
  threads: 1,
  contextLength: 256,
  slots: 4,
  maxQueue: 8,
  prefillChunk: 16,
};
const { signal } = new AbortController();
let folder: string;
let onnxPath: string;
let ggufPath: string;

/** A decoder whose weights are far from those that layers start with. */
function decoder(): Sequential {
  const block = () => llamaDecoder(96, 4, { numKeyValueHeads: 2, epsilon: 1e-5 });
  const model = new Sequential(
    [
      embedding(tokenizer.tokens.length, 48, { inputShape: [null] }),
      block(),
      block(),
      rmsNormalization({ epsilon: 1e-5 }),
      dense(tokenizer.tokens.length, { useBias: false }),
    ],
    { seed: 5 },
  );
  const larger = (name: string): number => {
    if (name.endsWith("scale")) return 1;
    return name.endsWith("embeddings") ? 20 : name.startsWith("dense") ? 4 : 1.5;
  };
  const weights = model.getWeights().map(({ name, value }) => ({
    name,
    value: { ...value, data: value.data.map((one) => one * larger(name)) },
  }));
  model.setWeights(weights);
  return model;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gristmill-decoder-engines-"));
  onnxPath = join(folder, "tiny.onnx");
  ggufPath = join(folder, "tiny.gguf");
  const model = decoder();
  const description = { tokenizer, contextLength: 256, name: "tiny" };
  const sink = new MemorySink();
  await toLlamaGguf(sink, model, { ...description, type: "F32" });
  await writeFile(ggufPath, sink.bytes());
  await writeFile(onnxPath, encodeModel(await toDecoderOnnx(model, description)));
  await model.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describeLanguageEngine("onnx-language", (given) => loadOnnxLanguageEngine(onnxPath, given), {
  letter: (letter) => letter.charCodeAt(0),
  end,
});

const tokensOf = ({ events }: WholeAnswer): readonly WrittenToken[] =>
  events.flatMap((event) => (event.type === "text" ? (event.tokens ?? []) : []));

/** How far the likeliest token, but the end, is before the next. */
function margin(top: readonly TokenProbability[]): number {
  const [first, second] = top.filter(({ token }) => token !== end);
  return (first?.logprob ?? 0) - (second?.logprob ?? 0);
}

describe("one decoder in two files", () => {
  let onnx: LanguageEngine;
  let gguf: LanguageEngine;
  beforeAll(async () => {
    [onnx, gguf] = [await loadOnnxLanguageEngine(onnxPath, options), await loadLlamaEngine(ggufPath, options)];
  });
  afterAll(() => Promise.all([onnx.close(), gguf.close()]));

  const prompts = ["the cat", "a", "red, amber or green?", "long ".repeat(12), "café 🙂"];
  const write = (engine: LanguageEngine, prompt: string) =>
    readAnswer(
      engine.complete(
        {
          prompt,
          stop: [],
          maxTokens: 32,
          logprobs: 3,
          sampling: { temperature: 0, logitBias: [[end, -100]] },
        },
        { signal },
      ),
    );

  it("writes the same at temperature 0, alone and among others", async () => {
    const told = async (engine: LanguageEngine) => {
      const alone = [];
      for (const prompt of prompts) alone.push(await write(engine, prompt));
      const together = await Promise.all(prompts.map((prompt) => write(engine, prompt)));
      expect(together.map(({ text }) => text)).toEqual(alone.map(({ text }) => text));
      return alone;
    };
    const [ours, theirs] = [await told(onnx), await told(gguf)];
    expect(ours.map(({ finished }) => finished.usage.promptTokens)).toEqual(
      theirs.map(({ finished }) => finished.usage.promptTokens),
    );
    let compared = 0;
    for (const [i, answer] of ours.entries()) {
      const [own, other] = [tokensOf(answer), tokensOf(theirs[i] ?? answer)];
      // llama.cpp keeps its cache in 16 bits: a near tie may fall either way, and then all that follows.
      const tie = own.findIndex(({ top }) => margin(top) < 0.02);
      const clear = tie < 0 ? own.length : tie;
      const chosen = (tokens: readonly WrittenToken[]) => tokens.slice(0, clear).map(({ token }) => token);
      expect(chosen(own)).toEqual(chosen(other));
      for (const [at, { logprob }] of own.slice(0, clear).entries())
        expect(Math.abs(logprob - (other[at]?.logprob ?? Number.NaN))).toBeLessThan(0.05);
      compared += clear;
    }
    expect(compared).toBeGreaterThan(60);
  });

  it("says the same of itself, but what only llama.cpp can do", () => {
    const { parameters, abilities, embeddingLength, ...others } = onnx.card;
    expect(gguf.card).toMatchObject(others);
    expect(parameters).toBeGreaterThanOrEqual(gguf.card.parameters);
    expect(abilities).toEqual({ complete: true, chat: true, embed: false, rerank: false, images: false });
    expect(embeddingLength).toBe(0);
  });

  it("chats by the template, and fills a schema", async () => {
    const schema = {
      type: "object",
      properties: { ok: { type: "boolean" } },
      required: ["ok"],
      additionalProperties: false,
    };
    const chat = {
      messages: [{ role: "user" as const, content: [{ type: "text" as const, text: "red?" }] }],
      tools: [],
      toolChoice: "none" as const,
      parallelToolCalls: true,
      sampling: { temperature: 0 },
      stop: [],
      maxTokens: 60,
      constraint: { type: "schema" as const, schema },
    };
    expect(await onnx.countTokens(chat, { signal })).toBe("red?\n".length);
    const { text, finished } = await readAnswer(onnx.chat(chat, { signal }));
    expect(finished.reason).toBe("stop");
    expect(typeof JSON.parse(text).ok).toBe("boolean");
  });

  it("refuses files that are no decoders with a vocabulary, by what is missing", async () => {
    const model = decoder();
    const whole = await toDecoderOnnx(model, { tokenizer, contextLength: 256 });
    const plain = model.toOnnx();
    await model.close();
    const vocabulary = Object.entries(whole.metadata);
    const wrong: [string, Uint8Array, RegExp][] = [
      ["plain", encodeModel(plain), /expected metadata gristmill\.vocabulary/],
      ["headless", encodeModel({ ...whole, metadata: {} }), /expected metadata gristmill\.vocabulary/],
      [
        "forward",
        encodeModel({ ...plain, metadata: whole.metadata }),
        /no decoder with a cache: expected an input input_ids/,
      ],
      ["letters", encodeModel({ ...whole, metadata: { [vocabulary[0]?.[0] ?? ""]: "!!!!" } }), /expected base64/],
      ["short", encodeModel({ ...whole, metadata: { [vocabulary[0]?.[0] ?? ""]: "R0dVRg==" } }), /model file/],
      ["text", new TextEncoder().encode("no model"), /model file/],
    ];
    for (const [name, bytes, message] of wrong) {
      const path = join(folder, `${name}.onnx`);
      await writeFile(path, bytes);
      const error = await loadOnnxLanguageEngine(path, options).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EngineRunError);
      expect((error as Error).message).toMatch(message);
    }
    await expect(loadOnnxLanguageEngine(join(folder, "none.onnx"), options)).rejects.toBeInstanceOf(EngineRunError);
    const huge = { ...options, contextLength: 2 ** 40 };
    await expect(loadOnnxLanguageEngine(onnxPath, huge)).rejects.toThrow("bytes of free memory");
  });
});
