/** Writes docs/errors.md from the error table: `node scripts/errors-doc.ts`. A test fails when the two differ. */
import { writeFileSync } from "node:fs";
import { errorsDocument } from "../test/documents/errors-document.ts";

writeFileSync("docs/errors.md", errorsDocument());
