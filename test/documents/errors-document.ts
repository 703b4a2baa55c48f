import { type ErrorEntry, errorTable } from "@gristmill/contract";

/** The text of docs/errors.md: every code a caller can see, with what to do about it. */
export function errorsDocument(): string {
  const row = ([code, entry]: [string, ErrorEntry]) =>
    `| \`${code}\` | ${entry.status} | ${entry.retryable ? "yes" : "no"} | ${entry.help} |`;
  return `# Errors

Every failure of \`/api\` has the body

\`\`\`json
{ "error": { "code": "dataset.not_found", "message": "…", "help": "…", "retryable": false, "request_id": "req_…", "details": {} } }
\`\`\`

\`code\` is stable and never reused; \`message\` says what, where, what was expected and what was received, and may change; \`help\` is the
sentence below; \`retryable\` is true when the same request may succeed later. \`/v2\` tells the same failures in the shape of the Open Inference
Protocol (\`{ "error": "…" }\`) with the same status.

This page is made from the table in \`packages/contract/src/errors.ts\` by \`node scripts/errors-doc.ts\`, and a test compares the two.

| code | status | retry | what to do |
|---|---|---|---|
${Object.entries(errorTable).map(row).join("\n")}
`;
}
