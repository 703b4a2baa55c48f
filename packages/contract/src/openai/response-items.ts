/** @file Items, tools and formats of OpenAI's responses. */
import { z } from "zod";
import { refusedPart } from "./refused-part.ts";
import { jsonObject, shortName, wellFormed } from "./values.ts";

const itemId = z.string().min(1).max(128).nullish();
const itemStatus = z.enum(["in_progress", "completed", "incomplete"]).nullish();

const inputText = z.strictObject({ type: z.literal("input_text"), text: wellFormed });
const inputImage = z.strictObject({
  type: z.literal("input_image"),
  /** A data URL; others are refused when it is read. */
  image_url: z.string().min(1),
  detail: z.enum(["auto", "low", "high"]).nullish(),
});
const outputText = z.strictObject({
  type: z.literal("output_text"),
  text: wellFormed,
  annotations: z.array(z.unknown()).max(1000).optional(),
  logprobs: z.array(z.unknown()).nullish(),
  /** What OpenAI's own client adds to an answer that it has parsed. */
  parsed: z.unknown().optional(),
});
const refusal = z.strictObject({ type: z.literal("refusal"), refusal: wellFormed });
const inputFile = refusedPart("input_file", "send its text as a part of the message");

const heard = z.discriminatedUnion("type", [
  inputText,
  inputImage,
  inputFile,
  refusedPart("input_audio", "models here hear nothing"),
]);
const message = { type: z.literal("message").optional(), id: itemId, status: itemStatus };
const told = z.union([wellFormed, z.array(inputText).min(1).max(1000)]);

/** A message of a conversation; its type may be left out. */
const messageItem = z.discriminatedUnion("role", [
  z.strictObject({ ...message, role: z.literal("developer"), content: told }),
  z.strictObject({ ...message, role: z.literal("system"), content: told }),
  z.strictObject({
    ...message,
    role: z.literal("user"),
    content: z.union([wellFormed, z.array(heard).min(1).max(1000)]),
  }),
  z.strictObject({
    ...message,
    role: z.literal("assistant"),
    content: z.union([wellFormed, z.array(z.discriminatedUnion("type", [outputText, refusal, inputText])).max(1000)]),
    phase: z.enum(["commentary", "final_answer"]).nullish(),
  }),
]);

const callId = z.string().min(1).max(128);

/** A call that the model asked for. */
const functionCallItem = z.strictObject({
  type: z.literal("function_call"),
  id: itemId,
  status: itemStatus,
  call_id: callId,
  name: shortName,
  arguments: wellFormed,
  /** What OpenAI's own client adds to a call that it has parsed. */
  parsed_arguments: z.unknown().optional(),
});

/** What a called function gave. */
const functionCallOutputItem = z.strictObject({
  type: z.literal("function_call_output"),
  id: itemId,
  status: itemStatus,
  call_id: callId,
  output: z.union([
    wellFormed,
    z
      .array(z.discriminatedUnion("type", [inputText, inputImage, inputFile]))
      .min(1)
      .max(1000),
  ]),
});

/** What a model thought, which clients send back as they got it; models are not shown it again. */
const reasoningItem = z.strictObject({
  type: z.literal("reasoning"),
  id: itemId,
  status: itemStatus,
  summary: z.array(z.unknown()).max(1000).nullish(),
  content: z.array(z.unknown()).max(1000).nullish(),
  encrypted_content: wellFormed.nullish(),
});

/** Refused by its name. */
const referenceItem = z
  .strictObject({ type: z.literal("item_reference"), id: z.unknown().optional() })
  .refine(() => false, {
    message: "not supported: send the item itself, or previous_response_id",
    params: { code: "unsupported_parameter" },
  });

/** One item of a response's input. */
export const responseInputItem = z.union([
  messageItem,
  z.discriminatedUnion("type", [functionCallItem, functionCallOutputItem, reasoningItem, referenceItem]),
]);
export type ResponseInputItem = z.infer<typeof responseInputItem>;
/** A message of an input. */
export type ResponseMessageItem = Extract<ResponseInputItem, { role: unknown }>;
/** What a called function gave. */
export type ResponseCallOutputItem = z.infer<typeof functionCallOutputItem>;

/** Tools that OpenAI runs on its own machines, and those that only its models know. */
const otherTools = [
  "apply_patch",
  "code_interpreter",
  "computer",
  "computer_use_preview",
  "custom",
  "file_search",
  "image_generation",
  "local_shell",
  "mcp",
  "namespace",
  "programmatic_tool_calling",
  "shell",
  "tool_search",
  "web_search",
  "web_search_2025_08_26",
  "web_search_preview",
  "web_search_preview_2025_03_11",
] as const;
const refusedTools = otherTools.map((type) => refusedPart(type, "functions are the only tools here"));

/** A function that the model may call. */
const functionTool = z.strictObject({
  type: z.literal("function"),
  name: shortName,
  description: wellFormed.nullish(),
  parameters: jsonObject.nullish(),
  strict: z.boolean().nullish(),
});
export type ResponseFunctionTool = z.infer<typeof functionTool>;

/** A tool of a response: a function. */
export const responseTool = z.discriminatedUnion("type", [functionTool, ...refusedTools]);

const namedFunction = z.strictObject({ type: z.literal("function"), name: shortName });

/** Which tools must or may be called. */
export const responseToolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.discriminatedUnion("type", [
    namedFunction,
    z.strictObject({
      type: z.literal("allowed_tools"),
      mode: z.enum(["auto", "required"]),
      tools: z.array(namedFunction).min(1).max(128),
    }),
    ...refusedTools,
  ]),
]);
export type ResponseToolChoice = z.infer<typeof responseToolChoice>;

/** What the answer's text must be. */
export const responseTextFormat = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({
    type: z.literal("json_schema"),
    name: shortName,
    description: wellFormed.nullish(),
    schema: jsonObject,
    strict: z.boolean().nullish(),
  }),
]);
export type ResponseTextFormat = z.infer<typeof responseTextFormat>;
