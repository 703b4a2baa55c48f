import { describe } from "vitest";
import { goldenFile, goldenTests } from "../testing/golden.ts";
import { checkLayer, type LayerGolden } from "../testing/golden-layer.ts";
import { exceptions } from "./exceptions.ts";

const family = "layers_normalization";
describe(`${family}, golden values`, () =>
  goldenTests(goldenFile<LayerGolden>(family), exceptions[family] ?? {}, checkLayer));
