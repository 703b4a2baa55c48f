/** @file What OpenAI's API calls the fields of our requests, both ways. */

/** Ours by theirs. */
const fields: Readonly<Record<string, string>> = {
  max_tokens: "maxTokens",
  max_completion_tokens: "maxTokens",
  temperature: "sampling.temperature",
  top_p: "sampling.topP",
  top_k: "sampling.topK",
  min_p: "sampling.minP",
  frequency_penalty: "sampling.frequencyPenalty",
  presence_penalty: "sampling.presencePenalty",
  seed: "sampling.seed",
  logit_bias: "sampling.logitBias",
  stop: "stop",
  logprobs: "logprobs",
  top_logprobs: "logprobs",
  response_format: "constraint",
  grammar: "constraint.grammar",
  tools: "tools",
  tool_choice: "toolChoice",
  parallel_tool_calls: "parallelToolCalls",
  chat_template_kwargs: "templateVariables",
  prompt: "prompt",
  input: "inputs",
  query: "query",
  documents: "documents",
};

/** Where in our request a parameter stands that an upstream names, "messages[0].content" too; "request" where it names none. */
export function requestField(param: string | undefined): string {
  if (param === undefined) return "request";
  const [, first = "", rest = ""] = /^([^.[]*)(.*)$/s.exec(param) ?? [];
  const shown = `${fields[first] ?? first}${rest}`;
  return shown.length > 200 ? `${shown.slice(0, 200)} …` : shown;
}
