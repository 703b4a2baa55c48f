/** Writes THIRD-PARTY-NOTICES.md from the lockfile: `node scripts/notices.ts`. A test fails when the two differ. */
import { writeFileSync } from "node:fs";
import { noticesDocument } from "../test/documents/notices-document.ts";

writeFileSync("THIRD-PARTY-NOTICES.md", noticesDocument());
