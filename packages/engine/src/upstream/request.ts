/** @file What we ask, in OpenAI's words: pure. */
import { EngineRequestError } from "../errors.ts";
import type {
  ChatMessage,
  ChatRequest,
  CompletionRequest,
  Constraint,
  ContentPart,
  GenerationSettings,
  Sampling,
  Tool,
  ToolChoice,
} from "../language/request.ts";
import type { Dialect } from "./dialects.ts";
import type { UpstreamSettings } from "./options.ts";

type Fields = Record<string, unknown>;

/** What decides how a request is worded. */
export interface Wording {
  readonly settings: Pick<UpstreamSettings, "model" | "maxTokensField" | "streamUsage">;
  readonly dialect: Dialect;
}

/** OpenAI's names of how tokens are chosen; `topK` and `minP` are those that vLLM, SGLang and llama.cpp share. */
const samplingNames = {
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  minP: "min_p",
  frequencyPenalty: "frequency_penalty",
  presencePenalty: "presence_penalty",
  seed: "seed",
  logitBias: "logit_bias",
} as const satisfies Record<keyof Sampling, string>;

/** The body of `chat/completions`. @throws EngineRequestError for what this server can't be asked. */
export function toChatBody(request: ChatRequest, wording: Wording): Fields {
  const { logprobs, maxTokens, tools } = request;
  return {
    ...toChatPrompt(request, wording),
    ...generationFields(request, wording),
    ...(maxTokens === undefined ? {} : { [wording.settings.maxTokensField]: maxTokens }),
    ...(logprobs === undefined ? {} : { logprobs: true, top_logprobs: logprobs }),
    // True is the default, and not every server knows the field.
    ...(tools.length > 0 && !request.parallelToolCalls ? { parallel_tool_calls: false } : {}),
  };
}

/** What of a chat makes up its prompt: also what tokens are counted of. @throws as `toChatBody`. */
export function toChatPrompt(request: ChatRequest, { settings, dialect }: Wording): Fields {
  const { messages, tools, toolChoice, templateVariables = {} } = request;
  const hasVariables = Object.keys(templateVariables).length > 0;
  if (hasVariables && !dialect.hasTemplateVariables)
    throw new EngineRequestError("templateVariables", "the server behind this model takes none");
  return {
    model: settings.model,
    messages: messages.map(toMessage),
    ...(tools.length > 0 ? { tools: tools.map(toTool), tool_choice: toToolChoice(toolChoice) } : {}),
    ...(hasVariables ? { chat_template_kwargs: templateVariables } : {}),
  };
}

/** The body of `completions`. @throws as `toChatBody`. */
export function toCompletionBody(request: CompletionRequest, wording: Wording): Fields {
  const { prompt, maxTokens, logprobs } = request;
  return {
    model: wording.settings.model,
    prompt,
    ...generationFields(request, wording),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(logprobs === undefined ? {} : { logprobs }),
  };
}

/** The same bytes wherever they stand: PNG, JPEG and WebP begin each with their own. */
const imageTypes: readonly (readonly [type: string, offset: number, bytes: readonly number[]])[] = [
  ["image/png", 0, [0x89, 0x50, 0x4e, 0x47]],
  ["image/jpeg", 0, [0xff, 0xd8, 0xff]],
  ["image/webp", 8, [0x57, 0x45, 0x42, 0x50]],
];

function generationFields(request: GenerationSettings, { settings, dialect }: Wording): Fields {
  const { sampling, stop, constraint } = request;
  const fields: Fields = { stream: true };
  for (const [name, theirs] of Object.entries(samplingNames)) {
    const value = sampling[name as keyof Sampling];
    if (value !== undefined)
      fields[theirs] = name === "logitBias" ? Object.fromEntries(sampling.logitBias ?? []) : value;
  }
  if (stop.length > 0) fields["stop"] = stop;
  if (settings.streamUsage !== "none")
    fields["stream_options"] = {
      include_usage: true,
      ...(settings.streamUsage === "everyChunk" ? { continuous_usage_stats: true } : {}),
    };
  return constraint === undefined ? fields : { ...fields, ...toConstraint(constraint, dialect) };
}

function toConstraint(constraint: Constraint, dialect: Dialect): Fields {
  switch (constraint.type) {
    case "json":
      return { response_format: { type: "json_object" } };
    case "schema": {
      const json_schema = { name: "answer", schema: constraint.schema, strict: true };
      return { response_format: { type: "json_schema", json_schema } };
    }
    case "grammar":
      if (dialect.grammar === undefined)
        throw new EngineRequestError("constraint.grammar", "the server behind this model takes no grammars");
      return { ...dialect.grammar(constraint.grammar) };
  }
}

function toMessage(message: ChatMessage): Fields {
  const name = message.role === "tool" || message.name === undefined ? {} : { name: message.name };
  switch (message.role) {
    case "system":
    case "user":
      return { role: message.role, content: toContent(message.content), ...name };
    case "tool":
      return { role: "tool", tool_call_id: message.toolCallId, content: toContent(message.content) };
    case "assistant": {
      const { toolCalls, content } = message;
      if (toolCalls.length === 0) return { role: "assistant", content: toContent(content), ...name };
      const tool_calls = toolCalls.map(({ id, name, arguments: text }) => ({
        id,
        type: "function",
        function: { name, arguments: text },
      }));
      return { role: "assistant", content: content.length === 0 ? null : toContent(content), tool_calls, ...name };
    }
  }
}

/** One text is written as text: templates of many models know nothing else. */
function toContent(parts: readonly ContentPart[]): unknown {
  const [first] = parts;
  if (first === undefined) return "";
  if (parts.length === 1 && first.type === "text") return first.text;
  return parts.map((part) =>
    part.type === "text" ? part : { type: "image_url", image_url: { url: toDataUrl(part.bytes) } },
  );
}

function toDataUrl(bytes: Uint8Array): string {
  const found = imageTypes.find(([, offset, start]) => start.every((byte, i) => bytes[offset + i] === byte));
  if (found === undefined)
    throw new EngineRequestError("messages", "expected images that are PNG, JPEG or WebP, received other bytes");
  return `data:${found[0]};base64,${Buffer.from(bytes).toString("base64")}`;
}

const toTool = ({ name, description, parameters, strict }: Tool): Fields => ({
  type: "function",
  function: {
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(strict ? { strict } : {}),
  },
});

const toToolChoice = (choice: ToolChoice): unknown =>
  typeof choice === "string" ? choice : { type: "function", function: { name: choice.name } };
