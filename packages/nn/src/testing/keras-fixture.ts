/** @file The trainings that Keras did, from fixtures/keras.json. */
import { readFileSync } from "node:fs";

/** An array in a fixture. */
export interface FixtureArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A training by Keras: what went in, and what came out. */
export interface KerasCase {
  readonly name: string;
  readonly spec: unknown;
  readonly compile: unknown;
  readonly x: FixtureArray;
  readonly y: FixtureArray;
  readonly weights: readonly FixtureArray[];
  /** Of each step, before its update. */
  readonly losses: readonly number[];
  readonly finalWeights: readonly FixtureArray[];
  readonly finalLoss: number;
  readonly finalAccuracy: number;
  readonly predictions: FixtureArray;
}

/** Who made the fixture, and its cases. */
export interface KerasFixture {
  readonly about: Readonly<Record<string, string | number>>;
  readonly cases: readonly KerasCase[];
}

/** Reads the fixture. */
export const kerasFixture = (): KerasFixture =>
  JSON.parse(readFileSync(new URL("../../fixtures/keras.json", import.meta.url), "utf8")) as KerasFixture;
