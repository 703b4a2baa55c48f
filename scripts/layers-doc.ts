/** Writes docs/layers.md from the tables of packages/nn: `node scripts/layers-doc.ts`. A test fails when the two differ. */
import { writeFileSync } from "node:fs";
import { referenceDocument } from "../packages/nn/src/testing/reference/reference-document.ts";

writeFileSync("docs/layers.md", referenceDocument());
