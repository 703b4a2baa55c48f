/** @file Every activation by the name that specs use. A new one is a file and a line here. */
import type { KindTable } from "../schema/kind.ts";
import type { Activation } from "./activation.ts";
import { linear } from "./linear.ts";
import { relu } from "./relu.ts";
import { sigmoid } from "./sigmoid.ts";
import { softmax } from "./softmax.ts";
import { tanh } from "./tanh.ts";

/** Every activation. */
export const activations = { linear, relu, sigmoid, tanh, softmax } satisfies KindTable<Activation>;

/** The name of an activation. */
export type ActivationName = keyof typeof activations;
