/** @file Every initializer by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import { constant, ones, zeros } from "./constant.ts";
import { identity } from "./identity.ts";
import type { Initializer } from "./initializer.ts";
import { orthogonal } from "./orthogonal.ts";
import { randomNormal, randomUniform, truncatedNormal } from "./random.ts";
import { unitForgetBias } from "./unit-forget-bias.ts";
import {
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  lecunNormal,
  lecunUniform,
  varianceScaling,
} from "./variance-scaling.ts";

const plain = {
  zeros,
  ones,
  constant,
  randomNormal,
  randomUniform,
  truncatedNormal,
  varianceScaling,
  glorotUniform,
  glorotNormal,
  heUniform,
  heNormal,
  lecunUniform,
  lecunNormal,
  orthogonal,
  identity,
} satisfies KindTable<Initializer>;

/** Every initializer. */
export const initializers = { ...plain, unitForgetBias: unitForgetBias(plain) } satisfies KindTable<Initializer>;

/** The name of an initializer. */
export type InitializerName = keyof typeof initializers;
