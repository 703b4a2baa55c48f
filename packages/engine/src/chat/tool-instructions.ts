/** @file What a model is told of tools whose template knows none: in the system message, in the generic format. */
import type { Tool, ToolCall, ToolChoice } from "../language/request.ts";

/** What `describeTools` must say besides the tools. */
export interface ToolRules {
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls: boolean;
}

function mustSentence(choice: ToolChoice): string {
  if (choice === "required") return "\nAnswer this time with a call, not with text.";
  return typeof choice === "object" ? `\nAnswer this time with a call of ${choice.name}, not with text.` : "";
}

/** The instructions for a system message. @param tools with special tokens hidden. */
export function describeTools(tools: readonly Tool[], { toolChoice, parallelToolCalls }: ToolRules): string {
  const lines = tools.map(({ name, description, parameters }) => JSON.stringify({ name, description, parameters }));
  return `You may call functions. These are there, each as one JSON object with the JSON Schema of its arguments:
<tools>
${lines.join("\n")}
</tools>

A call is a JSON object with the function's name and its arguments, within tags:
<tool_call>
{"name": "function_name", "arguments": {"argument": "value"}}
</tool_call>
${parallelToolCalls ? "Several calls may follow each other." : "Make one call at most."} Results come within tool_response tags.${mustSentence(toolChoice)}`;
}

/** Calls of before, as the generic format writes them. */
export function writeCalls(calls: readonly ToolCall[]): string {
  return calls
    .map(
      ({ name, arguments: json }) =>
        `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": ${json}}\n</tool_call>`,
    )
    .join("\n");
}

/** What a tool answered, for a message of the user. */
export function writeResult(text: string): string {
  return `<tool_response>\n${text}\n</tool_response>`;
}
