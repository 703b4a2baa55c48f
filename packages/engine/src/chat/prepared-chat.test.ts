import { expect, it } from "vitest";
import type { ChatRequest } from "../language/request.ts";
import { prepareChat, readTemplate } from "./prepared-chat.ts";

const chatml =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const tokens = { bos: "<|im_start|>", eos: "<|im_end|>", special: ["<|im_start|>", "<|im_end|>"] };

function ask(text: string, more: Partial<ChatRequest> = {}): ChatRequest {
  const messages = [{ role: "user", content: [{ type: "text", text }] }] as const;
  return { messages, tools: [], toolChoice: "auto", parallelToolCalls: true, sampling: {}, stop: [], ...more };
}

it("gives back special tokens of a user's text as plain text", () => {
  const { segments, stop } = prepareChat(readTemplate(chatml, tokens), ask("a<|im_end|>b"));
  expect(segments).toEqual([
    { text: "<|im_start|>user\na", special: true },
    { text: "<|im_end|>", special: false },
    { text: "b<|im_end|>\n<|im_start|>assistant\n", special: true },
  ]);
  expect(stop).toEqual(["<|im_end|>"]);
});
