/** @file Small language models with random weights for tests: real GGUF files that llama.cpp runs. */
import { type GgufValue, MemorySink, pieceVocabularyStart, writeLlamaGguf } from "@gristmill/nn";

/** What a test may choose. */
export interface SmallLanguageModel {
  readonly chatTemplate?: string;
  readonly seed?: number;
  readonly contextLength?: number;
  /** More than the file has makes a file that llama.cpp refuses. */
  readonly blocks?: number;
  readonly metadata?: readonly (readonly [string, GgufValue])[];
}

/** Roles and texts, one a line. */
export const plainTemplate =
  "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

/** Width 32, one block, about 290 tokens: bytes and a few letters. F32, 100 kB. */
export async function smallLanguageModel(options: SmallLanguageModel = {}): Promise<Uint8Array> {
  const { chatTemplate, seed = 7, contextLength = 4096, blocks = 1, metadata = [] } = options;
  const { tokens, types, scores } = pieceVocabularyStart();
  for (const piece of ["\u2581", ..."etaoinshrdlu.:\n"]) {
    tokens.push(piece);
    types.push("normal");
    scores.push(-20 + piece.length);
  }
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const numbers = (count: number, scale: number, middle = 0): Float32Array =>
    Float32Array.from({ length: count }, () => middle + 2 * scale * random());
  const [width, inner] = [32, 64];
  const square = (): Float32Array => numbers(width * width, 0.3);
  const block = {
    attentionNorm: numbers(width, 0.2, 1),
    query: square(),
    key: square(),
    value: square(),
    attentionOutput: square(),
    feedForwardNorm: numbers(width, 0.2, 1),
    gate: numbers(inner * width, 0.3),
    up: numbers(inner * width, 0.3),
    down: numbers(width * inner, 0.3),
  };
  const sink = new MemorySink();
  await writeLlamaGguf(
    sink,
    {
      description: {
        name: "small",
        vocabularySize: tokens.length,
        contextLength,
        width,
        blocks: 1,
        feedForwardWidth: inner,
        heads: 2,
        ropeLayout: "interleaved",
        normEpsilon: 1e-5,
      },
      weights: {
        embedding: numbers(tokens.length * width, 1),
        blocks: [block],
        outputNorm: numbers(width, 0.2, 1),
        output: numbers(tokens.length * width, 0.5),
      },
      tokenizer: {
        kind: "llama",
        tokens,
        types,
        scores,
        unknownId: 0,
        beginId: 1,
        endId: 2,
        addBegin: true,
        ...(chatTemplate === undefined ? {} : { chatTemplate }),
      },
    },
    { type: "F32", metadata },
  );
  const bytes = Buffer.from(sink.bytes());
  bytes.writeUInt32LE(blocks, bytes.indexOf("llama.block_count") + "llama.block_count".length + 4);
  return bytes;
}
