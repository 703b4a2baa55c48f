/** @file Pure: a body of responses as a request of ours, and its fields' names on the way back. */
import type {
  CreateResponse,
  ResponseFunctionTool,
  ResponseInputItem,
  ResponseTextFormat,
  ResponseToolChoice,
} from "@gristmill/contract";
import type { ChatRequest, Constraint, Tool } from "@gristmill/engine";
import { badField, samplingNames, type WireNames, type WireWords, wireName } from "../bad-field.ts";
import { given, samplingOf } from "../generation-settings.ts";
import { type AskedChoice, chosenTools } from "../tool-choice.ts";
import { messagesOf, type PlacedItem, type PlacedMessage } from "./input-messages.ts";

/** A request, and how its caller calls what is in it. */
export interface PreparedResponse {
  readonly request: ChatRequest;
  readonly words: WireWords;
}

/** True where probabilities of the text's tokens were asked for. */
export const withLogprobs = ({ include }: CreateResponse): boolean =>
  include?.includes("message.output_text.logprobs") === true;

/**
 * @param earlier items of the responses before, oldest first.
 * @throws AppError `request.invalid` for fields that contradict each other.
 */
export function preparedResponse(body: CreateResponse, earlier: readonly ResponseInputItem[]): PreparedResponse {
  const placed = messagesOf([...before(body, earlier), ...ownItems(body)]);
  if (placed.length === 0) throw badField("input", "expected a message");
  const constraint = constraintOf(body);
  const request: ChatRequest = {
    messages: placed.map(({ message }) => message),
    ...chosenTools(
      (body.tools ?? []).filter((tool): tool is ResponseFunctionTool => tool.type === "function").map(toolOf),
      body.tool_choice === null || body.tool_choice === undefined ? undefined : askedOf(body.tool_choice),
    ),
    parallelToolCalls: body.parallel_tool_calls ?? true,
    stop: [],
    sampling: samplingOf(body, 0),
    ...(constraint === undefined ? {} : { constraint }),
    ...given<{ maxTokens: number; logprobs: number; templateVariables: Record<string, unknown> }>({
      maxTokens: body.max_output_tokens,
      logprobs: logprobsOf(body),
      templateVariables: body.chat_template_kwargs,
    }),
  };
  return { request, words: wordsOf(placed) };
}

function before({ instructions }: CreateResponse, earlier: readonly ResponseInputItem[]): readonly PlacedItem[] {
  const told = typeof instructions === "string" && instructions !== "";
  return [
    ...(told ? [{ item: { role: "system" as const, content: instructions }, field: "instructions" }] : []),
    ...earlier.map((item) => ({ item, field: "previous_response_id" })),
  ];
}

const ownItems = ({ input }: CreateResponse): readonly PlacedItem[] =>
  typeof input === "string"
    ? [{ item: { role: "user", content: input }, field: "input" }]
    : input.map((item, index) => ({ item, field: `input.${index}` }));

function logprobsOf(body: CreateResponse): number | undefined {
  if (withLogprobs(body)) return body.top_logprobs ?? 0;
  if ((body.top_logprobs ?? 0) > 0)
    throw badField("top_logprobs", "expected `message.output_text.logprobs` in `include`");
  return undefined;
}

function constraintOf({ text, grammar }: CreateResponse): Constraint | undefined {
  const format = text?.format === null || text?.format === undefined ? undefined : formatOf(text.format);
  if (typeof grammar !== "string") return format;
  if (format !== undefined) throw badField("grammar", "expected it alone, or `text.format` alone");
  return { type: "grammar", grammar };
}

function formatOf(format: ResponseTextFormat): Constraint | undefined {
  switch (format.type) {
    case "text":
      return undefined;
    case "json_object":
      return { type: "json" };
    case "json_schema":
      return { type: "schema", schema: format.schema };
  }
}

const toolOf = ({ name, description, parameters, strict }: ResponseFunctionTool): Tool => ({
  name,
  ...given<{ description: string; parameters: unknown }>({ description, parameters }),
  strict: strict ?? false,
});

type Choice = Exclude<ResponseToolChoice, string>;
const isNamed = (choice: Choice): choice is Extract<Choice, { type: "function" }> => choice.type === "function";
const isAllowed = (choice: Choice): choice is Extract<Choice, { type: "allowed_tools" }> =>
  choice.type === "allowed_tools";

function askedOf(choice: ResponseToolChoice): AskedChoice {
  if (typeof choice === "string") return choice;
  if (isNamed(choice)) return { name: choice.name, field: "tool_choice.name" };
  if (!isAllowed(choice)) throw badField("tool_choice", "this kind is not supported");
  const allowed = choice.tools.map(({ name }, index) => ({ name, field: `tool_choice.tools.${index}` }));
  return { mode: choice.mode, allowed };
}

const names: WireNames = [
  ...samplingNames,
  [/^constraint\.schema/, "text.format.schema"],
  [/^constraint/, "text.format"],
  [/^maxTokens/, "max_output_tokens"],
];

/** A message is called by the item that it begins with; what lies inside of it is not, where items were put together. */
const wordsOf = (placed: readonly PlacedMessage[]): WireWords => ({
  prompt: "input",
  name: (field) => {
    const index = /^messages\[(\d+)\]/.exec(field)?.[1];
    return index === undefined ? wireName(field, names) : (placed[Number(index)]?.field ?? "input");
  },
});
