import { readFileSync } from "node:fs";
import { fieldLines } from "@gristmill/contract";
import { describe, expect, it, test } from "vitest";
import { openaiBodies, openaiDocument } from "./openai-document.ts";

test("docs/openai-compatibility.md says what the schemas check: mend it by node scripts/openai-doc.ts", () => {
  expect(readFileSync("docs/openai-compatibility.md", "utf8")).toBe(openaiDocument());
});

/** Fields that OpenAI's specification 2.3.0 names. */
const specification = {
  "POST /v1/chat/completions": `audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens
    max_tokens messages metadata modalities model moderation n parallel_tool_calls prediction presence_penalty
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed
    service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity
    web_search_options`,
  "POST /v1/completions": `best_of echo frequency_penalty logit_bias logprobs max_tokens model n presence_penalty prompt
    seed stop stream stream_options suffix temperature top_p user`,
  "POST /v1/responses": `background context_management conversation include input instructions max_output_tokens
    max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options
    temperature text tool_choice tools top_logprobs top_p truncation user`,
  "POST /v1/embeddings": "dimensions encoding_format input model user",
} as const;

describe.each(Object.entries(specification))("%s", (route, fields) => {
  const schema = openaiBodies[route as keyof typeof specification];

  it("has a word on every field of the specification", () => {
    const names = new Set(fieldLines(schema).map(({ name }) => name));
    expect(fields.split(/\s+/).filter((field) => !names.has(field))).toEqual([]);
  });

  it("refuses what it says that it refuses, by name, and no null", () => {
    for (const { name, support } of fieldLines(schema)) {
      const problems = (value: unknown) =>
        (schema.safeParse({ [name]: value }).error?.issues ?? []).filter(({ path }) => path[0] === name);
      const [problem] = problems({ anything: true });
      if (support === "refused") {
        expect([name, problem?.code, problem?.message]).toEqual([
          name,
          "custom",
          expect.stringMatching(/^not supported: /),
        ]);
        expect([name, problems(null)]).toEqual([name, []]);
      } else expect([name, problem?.code === "custom"]).toEqual([name, false]);
    }
  });
});
