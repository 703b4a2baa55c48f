/** @file docs/openai-compatibility.md, made from the schemas that check requests. */
import {
  createChatCompletion,
  createCompletion,
  createEmbedding,
  createRanking,
  createResponse,
  type FieldLine,
  fieldLines,
} from "@gristmill/contract";

/** Each route that takes a body, with its schema. */
export const openaiBodies = {
  "POST /v1/chat/completions": createChatCompletion,
  "POST /v1/completions": createCompletion,
  "POST /v1/responses": createResponse,
  "POST /v1/embeddings": createEmbedding,
  "POST /v1/rerank": createRanking,
} as const;

/** Routes that take none. */
export const openaiReads = {
  "GET /v1/responses/:response": "a stored response; `stream` is refused",
  "GET /v1/responses/:response/input_items": "what it was asked, without the responses before it, in pages",
  "DELETE /v1/responses/:response": "deletes it; one under way is ended",
  "POST /v1/responses/:response/cancel": "ends a background response; one that has ended stays as it is",
  "GET /v1/models": "the language models that the key may use, by their deployments' names",
  "GET /v1/models/:model": "one of them",
  "GET /v1/organization/usage/*": "usage of the organization, in buckets",
  "GET /v1/organization/costs": "costs by the day",
  "GET /v1/organization/audit_logs": "the audit log",
} as const;

const introduction = `# OpenAI's API: what is supported

Written by \`node scripts/openai-doc.ts\` from the schemas that check requests: a test fails when the two differ.

- **supported**: it works. **accepted**: taken, and changes nothing. **refused**: 400 with the code \`unsupported_parameter\` and the
  field's name in \`param\`, unless it is null or asks for nothing. Fields of no table are refused as unknown.
- null means the same as leaving a field out.
- Answers have \`x-request-id\` and \`openai-processing-ms\`, and the \`x-ratelimit-…\` headers of the limits that exist.
- Streams are server-sent events, each \`data: {json}\`, and end with \`data: [DONE]\` once what was used is on the ledger. A failure
  after the first byte is an event \`data: {"error": …}\`; then the stream ends. Silence is broken by comments every 10 seconds.
- A prompt that the context has no room for is 400 \`context_length_exceeded\`: nothing is cut off silently.
- What a model thinks aloud is \`reasoning_content\`, beside \`content\`; its tokens are in \`completion_tokens_details.reasoning_tokens\`.
- \`prompt_tokens\` has the cached ones in it, which \`prompt_tokens_details.cached_tokens\` tells. With several answers a prompt
  counts once.
- Responses are stored for 30 days, encrypted, unless \`store\` is false; one whose client goes away before its end is not. Their
  streams have OpenAI's named and numbered events, and end with \`response.completed\`, \`response.incomplete\` or
  \`response.failed\`. A background response whose server ends has failed, with the code \`server_error\`. What a model
  thinks aloud is an item \`reasoning\` with its text.
- Not here: files, batches, fine-tuning, audio, images, moderations, vector stores, assistants, realtime.
`;

/** The whole document. */
export function openaiDocument(): string {
  const bodies = Object.entries(openaiBodies).map(
    ([route, schema]) => `\n## ${route}\n\n| field | | |\n|---|---|---|\n${fieldLines(schema).map(row).join("\n")}\n`,
  );
  const reads = Object.entries(openaiReads).map(([route, what]) => `| \`${route}\` | ${what} |`);
  return `${introduction}${bodies.join("")}\n## Routes without a body\n\n| route | |\n|---|---|\n${reads.join("\n")}\n`;
}

const row = ({ name, support, description }: FieldLine): string =>
  `| \`${name}\` | ${support} | ${description.replaceAll("|", "\\|")} |`;
