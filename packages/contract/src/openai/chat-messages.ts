/** @file Messages and tools of chat completions. */
import { z } from "zod";
import { refused } from "./field.ts";
import { refusedPart } from "./refused-part.ts";
import { integerIn, jsonObject, shortName, wellFormed } from "./values.ts";

const textPart = z.strictObject({ type: z.literal("text"), text: wellFormed });
const refusalPart = z.strictObject({ type: z.literal("refusal"), refusal: wellFormed });
const imagePart = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({
    /** A data URL; others are refused when it is read. */
    url: z.string().min(1),
    detail: z.enum(["auto", "low", "high"]).optional(),
  }),
});

const textContent = z.union([wellFormed, z.array(textPart).min(1).max(1000)]);
const userContent = z.union([
  wellFormed,
  z
    .array(
      z.discriminatedUnion("type", [
        textPart,
        imagePart,
        refusedPart("input_audio", "models here hear nothing"),
        refusedPart("file", "send its text as a part of the message"),
      ]),
    )
    .min(1)
    .max(1000),
]);
const assistantContent = z.union([
  wellFormed,
  z.array(z.discriminatedUnion("type", [textPart, refusalPart])).max(1000),
]);

const toolCallId = z.string().min(1).max(128);
const toolCall = z.strictObject({
  id: toolCallId,
  type: z.literal("function"),
  function: z.strictObject({ name: shortName, arguments: wellFormed }),
  /** Of a delta, which clients send back as they got it. */
  index: integerIn(0, 1000).optional(),
});

/** One message of a chat. */
export const chatMessage = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("developer"), content: textContent, name: shortName.nullish() }),
  z.strictObject({ role: z.literal("system"), content: textContent, name: shortName.nullish() }),
  z.strictObject({ role: z.literal("user"), content: userContent, name: shortName.nullish() }),
  z.strictObject({
    role: z.literal("assistant"),
    content: assistantContent.nullish(),
    name: shortName.nullish(),
    tool_calls: z.array(toolCall).max(1000).nullish(),
    refusal: wellFormed.nullish(),
    /** What we told of the model's thinking; models are not shown it again. */
    reasoning_content: wellFormed.nullish(),
    annotations: z.array(z.unknown()).max(0).nullish(),
    audio: refused("models here say nothing aloud"),
    function_call: refused("deprecated: send tool_calls"),
  }),
  z.strictObject({
    role: z.literal("tool"),
    content: textContent,
    tool_call_id: toolCallId,
    name: shortName.nullish(),
  }),
]);
export type ChatMessageBody = z.infer<typeof chatMessage>;

/** A function that the model may call. */
export const chatTool = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("function"),
    function: z.strictObject({
      name: shortName,
      description: wellFormed.nullish(),
      parameters: jsonObject.nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
  refusedPart("custom", "tools of free text; give a function with one text as its argument"),
]);
export type ChatTool = z.infer<typeof chatTool>;

const namedTool = z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: shortName }) });

/** Which tools must or may be called. */
export const chatToolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.discriminatedUnion("type", [
    namedTool,
    z.strictObject({
      type: z.literal("allowed_tools"),
      allowed_tools: z.strictObject({
        mode: z.enum(["auto", "required"]),
        tools: z.array(namedTool).min(1).max(128),
      }),
    }),
    refusedPart("custom", "there are no custom tools"),
  ]),
]);
export type ChatToolChoice = z.infer<typeof chatToolChoice>;

/** What the answer's text must be. */
export const responseFormat = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({
    type: z.literal("json_schema"),
    json_schema: z.strictObject({
      name: shortName,
      description: wellFormed.nullish(),
      schema: jsonObject.optional(),
      strict: z.boolean().nullish(),
    }),
  }),
]);
export type ResponseFormat = z.infer<typeof responseFormat>;
