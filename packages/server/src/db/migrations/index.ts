/** @file Every migration, in the order in which a database gets them. */
import { identity } from "./0001-identity.ts";
import { metering } from "./0002-metering.ts";
import { billing } from "./0003-billing.ts";
import { data } from "./0004-data.ts";
import { models } from "./0005-models.ts";
import { training } from "./0006-training.ts";
import { serving } from "./0007-serving.ts";
import { users } from "./0008-users.ts";
import { organizations } from "./0009-organizations.ts";
import { admission } from "./0010-admission.ts";
import { budgets } from "./0011-budgets.ts";
import { audit } from "./0012-audit.ts";
import { events } from "./0013-events.ts";
import { prices } from "./0014-prices.ts";
import { runningCosts } from "./0015-running-costs.ts";
import { languageModels } from "./0016-language-models.ts";
import { responses } from "./0017-responses.ts";
import { upstreams } from "./0018-upstreams.ts";
import { onnxLanguageModels } from "./0019-onnx-language-models.ts";
import type { Migration } from "./migration.ts";

/** Append only. */
export const migrations: readonly Migration[] = [
  identity,
  metering,
  billing,
  data,
  models,
  training,
  serving,
  users,
  organizations,
  admission,
  budgets,
  audit,
  events,
  prices,
  runningCosts,
  languageModels,
  responses,
  upstreams,
  onnxLanguageModels,
];
