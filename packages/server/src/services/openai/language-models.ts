/** @file What these routes need of serving. */
import type { ProjectId } from "@gristmill/contract";
import type { LanguageDeployments, Served } from "../../serving/index.ts";

/** A deployment, as far as these routes look at it. */
export interface DescribedModel {
  readonly name: string;
  readonly createdAt: Date;
  readonly model: string;
  readonly modelVersion: number;
  /** null: a graph of tensors, which these routes can't ask. `contextLength` is in tokens, of prompt and answer together. */
  readonly language: { readonly contextLength: number } | null;
}

/** Language models by their deployment's name. */
export interface LanguageModels extends LanguageDeployments {
  /** @throws AppError `deployment.not_found`, `deployment.revision_not_found`, `deployment.not_ready`. */
  describe(projectId: ProjectId, name: string): Promise<DescribedModel>;
  /** Every deployment of a project, also those that are not ready yet. */
  describeAll(projectId: ProjectId): Promise<readonly DescribedModel[]>;
}

/** Who will answer, and how much it can read. */
export interface Answerer {
  readonly served: Served;
  /** Tokens; undefined: the model is none of language, which is told when it is asked. */
  readonly contextLength: number | undefined;
}

/** @throws AppError as `LanguageModels.describe`. */
export async function answererOf(models: LanguageModels, projectId: ProjectId, name: string): Promise<Answerer> {
  const { name: deployment, model, modelVersion, language } = await models.describe(projectId, name);
  return {
    served: { deployment, model, model_version: String(modelVersion) },
    contextLength: language?.contextLength,
  };
}
