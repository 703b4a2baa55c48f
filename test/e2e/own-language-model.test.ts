/** @file A language model of one's own: trained here, written as GGUF and as ONNX with its tokenizer, uploaded, deployed, and asked over HTTP. */
import type { Deployment, ModelVersion } from "@gristmill/contract";
import {
  adam,
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
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Home, Platform } from "./platform.ts";

/** All that it learns. */
const answers: readonly (readonly [question: string, answer: string])[] = [
  ["red?", "stop"],
  ["amber?", "slow down"],
  ["green?", "go on, café"],
];
const end = byteLetters.length;
/** One token a byte, and one for the end of an answer. */
const tokenizer: LlamaTokenizer = {
  kind: "gpt2",
  tokens: [...byteLetters, "<|end|>"],
  merges: [],
  types: [...byteLetters.map(() => "normal" as const), "control"],
  endId: end,
  chatTemplate: "{% for message in messages %}{{ message.content }}\n{% endfor %}",
};
const length = 24;

const home = new Home();
let platform: Platform;
let files: { readonly gguf: Uint8Array; readonly onnx: Uint8Array };
beforeAll(async () => {
  platform = await Platform.start(home);
  files = await trainedFiles();
}, 120_000);
afterAll(async () => {
  await platform?.stop();
  home.remove();
});

/** A decoder of two blocks that has learnt the answers by heart, as files. */
async function trainedFiles(): Promise<typeof files> {
  const model = new Sequential(
    [
      embedding(tokenizer.tokens.length, 48, { inputShape: [null] }),
      llamaDecoder(96, 4, { numKeyValueHeads: 2, epsilon: 1e-5 }),
      llamaDecoder(96, 4, { numKeyValueHeads: 2, epsilon: 1e-5 }),
      rmsNormalization({ epsilon: 1e-5 }),
      dense(tokenizer.tokens.length, { useBias: false }),
    ],
    { seed: 11 },
  );
  model.compile({
    optimizer: adam({ learningRate: 5e-3 }),
    loss: { type: "sparseCategoricalCrossentropy", fromLogits: true },
  });
  const texts = answers.map(([question, answer]) => {
    const tokens = [...new TextEncoder().encode(`${question}\n${answer}`), end];
    return [...tokens, ...new Array<number>(length + 1 - tokens.length).fill(end)];
  });
  const shifted = (by: number) => ({
    shape: [texts.length, length],
    data: Int32Array.from(texts.flatMap((tokens) => tokens.slice(by, by + length))),
  });
  await model.fit(shifted(0), shifted(1), { epochs: 150, batchSize: texts.length, threads: 1 });
  const sink = new MemorySink();
  const how = { tokenizer, contextLength: 64, name: "lights" };
  await toLlamaGguf(sink, model, { ...how, type: "F32" });
  const onnx = encodeModel(await toDecoderOnnx(model, how));
  await model.close();
  return { gguf: sink.bytes(), onnx };
}

it.each(["gguf", "onnx"] as const)("as %s it is uploaded, deployed, and streams what it has learnt", async (format) => {
  const name = `lights-${format}`;
  const version = await platform.expect<ModelVersion>(201, "POST", `/api/models/${name}/versions`, files[format]);
  expect(version).toMatchObject({ format, inputs: [], outputs: [] });
  expect(version.language).toMatchObject({
    name: "lights",
    architecture: "llama",
    quantization: "F32",
    vocabulary_size: 257,
    context_length: 64,
    chat_template: true,
  });
  await platform.expect(202, "POST", "/api/deployments", { name, model: name, threads: 1, generation: { slots: 1 } });
  await platform.until<Deployment>(`/api/deployments/${name}`, ({ status }) => status === "ready");

  const client = new OpenAI({ baseURL: `${platform.url}/v1`, apiKey: platform.adminKey, maxRetries: 0 });
  for (const [question, answer] of answers) {
    const chunks = await client.chat.completions.create({
      model: name,
      messages: [{ role: "user", content: question }],
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    const pieces: string[] = [];
    let reason: string | null | undefined;
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const { choices, usage: counted } of chunks) {
      const piece = choices[0]?.delta.content ?? "";
      if (piece !== "") pieces.push(piece);
      reason = choices[0]?.finish_reason ?? reason;
      usage = counted ?? usage;
    }
    expect(pieces.join("")).toBe(answer);
    // A token is a byte here: the answer comes in many pieces, and none splits a letter of two bytes.
    expect(pieces.length).toBeGreaterThan(1);
    expect(reason).toBe("stop");
    expect(usage).toMatchObject({
      prompt_tokens: question.length + 1,
      completion_tokens: new TextEncoder().encode(answer).length + 1,
    });
  }
});
