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

const plain: KindTable<Initializer> = {
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
};

/** Every initializer. */
export const initializers: KindTable<Initializer> = { ...plain, unitForgetBias: unitForgetBias(plain) };
