/** @file Language models: files of another format, and how they are served. */
import type { Migration } from "./migration.ts";

/** A revision has the settings of its model's kind and no others. */
export const languageModels: Migration = {
  name: "0016-language-models",
  up: `
    alter table model_version drop constraint model_version_format_check;
    alter table model_version add constraint model_version_format_check check (format in ('onnx', 'gguf'));
    alter table model_version add column language json;
    alter table model_version add constraint model_version_language_check
      check ((language is not null) = (format = 'gguf'));

    alter table revision alter column batching drop not null;
    alter table revision add column generation jsonb;
    alter table revision add constraint revision_settings_check check ((batching is null) <> (generation is null));
  `,
};
