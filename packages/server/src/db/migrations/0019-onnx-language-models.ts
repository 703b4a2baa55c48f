/** @file Language models as ONNX. */
import type { Migration } from "./migration.ts";

/** Every GGUF file is a language model, and an ONNX file may be one. */
export const onnxLanguageModels: Migration = {
  name: "0019-onnx-language-models",
  up: `
    alter table model_version drop constraint model_version_language_check;
    alter table model_version add constraint model_version_language_check
      check (language is not null or format <> 'gguf');
  `,
};
