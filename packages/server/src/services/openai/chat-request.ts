/** @file Pure: a body of chat completions as a request of ours. */
import type {
  ChatMessageBody,
  ChatTool,
  ChatToolChoice,
  CreateChatCompletion,
  ResponseFormat,
} from "@gristmill/contract";
import type { ChatMessage, ChatRequest, Constraint, ContentPart, Tool } from "@gristmill/engine";
import { badField } from "./bad-field.ts";
import { imageOfDataUrl } from "./data-url.ts";
import { given, samplingOf, stopOf } from "./generation-settings.ts";
import { type AskedChoice, type ChosenTools, chosenTools } from "./tool-choice.ts";

type FunctionTool = Extract<ChatTool, { function: unknown }>;

/**
 * The request of one of n answers.
 * @throws AppError `request.invalid` for fields that contradict each other.
 */
export function chatRequests(body: CreateChatCompletion): readonly ChatRequest[] {
  const maxTokens = maxTokensOf(body);
  const { tools, toolChoice } = toolsOf(body);
  const constraint = constraintOf(body);
  const shared = {
    messages: messagesOf(body.messages),
    tools,
    toolChoice,
    parallelToolCalls: body.parallel_tool_calls ?? true,
    stop: stopOf(body),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(constraint === undefined ? {} : { constraint }),
    ...given<{ logprobs: number; templateVariables: Record<string, unknown> }>({
      logprobs: logprobsOf(body),
      templateVariables: body.chat_template_kwargs,
    }),
  };
  return Array.from({ length: body.n ?? 1 }, (_, answer) => ({ ...shared, sampling: samplingOf(body, answer) }));
}

function maxTokensOf({ max_tokens, max_completion_tokens }: CreateChatCompletion): number | undefined {
  if (
    typeof max_tokens === "number" &&
    typeof max_completion_tokens === "number" &&
    max_tokens !== max_completion_tokens
  )
    throw badField("max_tokens", "expected it alone, or equal to max_completion_tokens");
  return max_completion_tokens ?? max_tokens ?? undefined;
}

function logprobsOf({ logprobs, top_logprobs }: CreateChatCompletion): number | undefined {
  if (logprobs === true) return top_logprobs ?? 0;
  if (typeof top_logprobs === "number") throw badField("top_logprobs", "expected `logprobs: true` beside it");
  return undefined;
}

function constraintOf({ response_format, grammar }: CreateChatCompletion): Constraint | undefined {
  const format = response_format === null || response_format === undefined ? undefined : formatOf(response_format);
  if (typeof grammar !== "string") return format;
  if (format !== undefined) throw badField("grammar", "expected it alone, or `response_format` alone");
  return { type: "grammar", grammar };
}

function formatOf(format: ResponseFormat): Constraint | undefined {
  switch (format.type) {
    case "text":
      return undefined;
    case "json_object":
      return { type: "json" };
    case "json_schema":
      // OpenAI lets a format without a schema be any object.
      return format.json_schema.schema === undefined
        ? { type: "json" }
        : { type: "schema", schema: format.json_schema.schema };
  }
}

/** Tools that may be called, and which must be. */
const toolsOf = ({ tools, tool_choice }: CreateChatCompletion): ChosenTools =>
  chosenTools(
    (tools ?? []).filter((tool): tool is FunctionTool => tool.type === "function").map(toolOf),
    tool_choice === null || tool_choice === undefined ? undefined : askedOf(tool_choice),
  );

function askedOf(choice: ChatToolChoice): AskedChoice {
  if (typeof choice === "string") return choice;
  if ("function" in choice && isNamed(choice))
    return { name: choice.function.name, field: "tool_choice.function.name" };
  if (!("allowed_tools" in choice) || !isAllowed(choice)) throw badField("tool_choice", "this kind is not supported");
  const { mode, tools } = choice.allowed_tools;
  const allowed = tools.map((tool, index) => ({
    name: tool.function.name,
    field: `tool_choice.allowed_tools.tools.${index}`,
  }));
  return { mode, allowed };
}

type Choice = Exclude<ChatToolChoice, string>;
const isNamed = (choice: Choice): choice is Extract<Choice, { type: "function" }> => choice.type === "function";
const isAllowed = (choice: Choice): choice is Extract<Choice, { type: "allowed_tools" }> =>
  choice.type === "allowed_tools";

const toolOf = ({ function: { name, description, parameters, strict } }: FunctionTool): Tool => ({
  name,
  ...given<{ description: string; parameters: unknown }>({ description, parameters }),
  strict: strict ?? false,
});

/** Messages in our words. @throws AppError `request.invalid` for a tool's answer without its call. */
function messagesOf(messages: readonly ChatMessageBody[]): readonly ChatMessage[] {
  const calls = new Set<string>();
  return messages.map((message, index): ChatMessage => {
    const field = `messages.${index}`;
    if (message.role === "assistant") {
      for (const { id } of message.tool_calls ?? []) calls.add(id);
      return assistantOf(message, field);
    }
    const content = parts(message.content, field);
    if (message.role === "tool") {
      if (!calls.has(message.tool_call_id))
        throw badField(`${field}.tool_call_id`, `no message before it has a call "${message.tool_call_id}"`);
      return { role: "tool", content, toolCallId: message.tool_call_id };
    }
    // A developer's message is what a system's was for older models; templates know the older name.
    return { role: message.role === "user" ? "user" : "system", content, ...named(message.name) };
  });
}

function assistantOf(message: Extract<ChatMessageBody, { role: "assistant" }>, field: string): ChatMessage {
  const { content, refusal, tool_calls, name } = message;
  const said = content ?? refusal ?? [];
  if (said.length === 0 && content !== "" && (tool_calls ?? []).length === 0)
    throw badField(`${field}.content`, "expected content or tool_calls");
  return {
    role: "assistant",
    content: parts(said, field),
    toolCalls: (tool_calls ?? []).map(({ id, function: called }) => ({ id, ...called })),
    ...named(name),
  };
}

const named = (name: string | null | undefined): { name?: string } => given<{ name: string }>({ name });

type Content = NonNullable<ChatMessageBody["content"]>;

function parts(content: Content, field: string): readonly ContentPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return content.map((part, index): ContentPart => {
    if ("text" in part) return { type: "text", text: part.text as string };
    if ("refusal" in part) return { type: "text", text: part.refusal as string };
    if ("image_url" in part && part.type === "image_url")
      return { type: "image", bytes: imageOfDataUrl(part.image_url.url, `${field}.content.${index}.image_url.url`) };
    throw badField(`${field}.content.${index}.type`, "this kind of part is not supported", "unsupported_parameter");
  });
}
