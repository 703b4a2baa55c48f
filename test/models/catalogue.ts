/** @file The real models that `npm run test:models` wants. */
import { type ModelFile, smolLm } from "../../examples/data/model-file.ts";

/** All that is tested where it can be had. */
export const testModels: readonly ModelFile[] = [
  smolLm,
  {
    // Its chat template has tools, which SmolLM2's has not.
    name: "Qwen2.5-0.5B-Instruct",
    file: "qwen2.5-0.5b-instruct-q4_k_m.gguf",
    sha256: undefined,
    python: undefined,
  },
];
