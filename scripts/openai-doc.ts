/** Writes docs/openai-compatibility.md from the schemas of OpenAI's requests: `node scripts/openai-doc.ts`. A test fails when the two differ. */
import { writeFileSync } from "node:fs";
import { openaiDocument } from "../test/documents/openai-document.ts";

writeFileSync("docs/openai-compatibility.md", openaiDocument());
