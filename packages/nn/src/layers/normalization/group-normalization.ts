import { ShapeError } from "@gristmill/onnx";
import { type Field, numberWhere, positive } from "../../schema/field.ts";
import { besideFeatures } from "../core/storage.ts";
import { defineLayer } from "../define-layer.ts";
import { type Features, toChannelsFirst } from "../features.ts";
import type { Layer } from "../layer.ts";
import { formatSample, knownShape, knownSize, type SampleShape } from "../shape.ts";
import { applyGain, type GainOptions, gainFields, gainParameters } from "./gain.ts";
import { standardize } from "./standardize.ts";

const groupsField = (): Field<number> =>
  numberWhere(
    "a whole number from 1, or -1 for a group a channel",
    (value) => value === -1 || (Number.isInteger(value) && value >= 1 && value < 2 ** 31),
    32,
  );

/** Channels, and how many groups they make. @throws ShapeError when the groups do not come out even. */
function groupsOf(groups: number, input: SampleShape, where: string): { channels: number; count: number } {
  const channels = knownSize(input, -1, where);
  const count = groups === -1 ? channels : groups;
  if (channels % count !== 0)
    throw new ShapeError(
      where,
      `expected channels that ${count} groups divide, received ${channels} in ${formatSample(input)}; set groups to one of their divisors`,
    );
  return { channels, count };
}

/** The table's entry of `groupNormalization`. */
export const groupNormalizationKind = defineLayer({
  type: "groupNormalization",
  fields: { groups: groupsField(), epsilon: positive(1e-3), ...gainFields },
  outputShape({ groups }, input, where) {
    groupsOf(groups, input, where);
    return knownShape(input, where);
  },
  parameters: (config, input) => gainParameters(config, [knownSize(input, -1, "groupNormalization")]),
  build({ groups, epsilon, center, scale }, scope, input) {
    const { math, path, training } = scope;
    const { channels, count } = groupsOf(groups, input.shape, path);
    const image = knownShape(input.shape, path).slice(0, -1);
    // channels first, a group is one run of elements, and its normalization one operator
    const features: Features = {
      value: toChannelsFirst(math, input),
      shape: input.shape,
      layout: image.length === 0 ? { kind: "plain" } : { kind: "channelsFirst" },
    };
    const run = image.reduce((product, size) => product * size, channels / count);
    const grouped = math.reshape(features.value, [-1, count, run]);
    const even = standardize(math, grouped, [run], { epsilon, training });
    const storage = besideFeatures(features, [input.shape.length - 1]);
    const value = applyGain(
      math,
      math.reshape(even, [-1, channels, ...image]),
      scale ? scope.weight("gamma", storage) : undefined,
      center ? scope.weight("beta", storage) : undefined,
    );
    return { ...features, value };
  },
});

/** Settings of `groupNormalization`. */
export interface GroupNormalizationOptions extends GainOptions {
  /** How many groups the channels make; -1 for one a channel (instance normalization). */
  readonly groups?: number;
  /** Added to the variance, so in units of x². */
  readonly epsilon?: number;
}

/**
 * `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`, mean and variance of a sample's groups of channels.
 *
 * - Shapes: [batch, ..., channels], as it enters; gamma and beta [channels].
 * - Defaults: `groups` 32, `epsilon` 1e-3, `center` and `scale` true, gamma ones, beta zeros.
 * - Masks: refused, since a group's statistics go over all steps.
 * - ONNX: Reshape, LayerNormalization, Mul, Add.
 * - Source: Wu and He 2018, arXiv:1803.08494.
 */
export const groupNormalization = (options: GroupNormalizationOptions = {}): Layer =>
  groupNormalizationKind.make({ ...options });
