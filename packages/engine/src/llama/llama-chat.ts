/** @file Where the engine meets chat/: a model's template with its vocabulary. */
import type { LlamaModel } from "node-llama-cpp";
import { type PreparedChat, prepareChat, readTemplate } from "../chat/prepared-chat.ts";
import type { ChatRequest } from "../language/request.ts";
import type { CheckedFile } from "./check-file.ts";
import type { NativeModel } from "./native.ts";

/** llama.cpp's mark of control tokens (`llama_token_attr`). */
const control = 8;

/** Prepares chats by one model's template. */
export interface LlamaChat {
  /** @throws EngineRequestError for a chat that the template can't write. */
  prepare(request: ChatRequest): PreparedChat;
}

/** @throws EngineRunError for a template that can't be parsed. */
export function createChat({ chatTemplate, tokens }: CheckedFile, model: LlamaModel, native: NativeModel): LlamaChat {
  const special = tokens.filter((_, token) => (native.getTokenAttributes(token) & control) !== 0);
  const { bosString, eosString } = model.tokens;
  const template = readTemplate(chatTemplate ?? "", { bos: bosString ?? "", eos: eosString ?? "", special });
  return { prepare: (request) => prepareChat(template, request) };
}
