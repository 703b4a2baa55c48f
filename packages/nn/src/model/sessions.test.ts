import { GraphBuilder, model } from "@gristmill/onnx";
import { expect, it } from "vitest";
import { Sessions } from "./sessions.ts";

it("twelve sessions stay open, enough for six lengths with their last batches; then the one unused for longest goes", async () => {
  const sessions = new Sessions();
  const written: string[] = [];
  const use = (key: string) =>
    sessions.get(key, 1, () => {
      written.push(key);
      const builder = new GraphBuilder("same");
      builder.output(builder.op("Identity", [builder.input("x", "float32", [1])]), "y");
      return { model: model(builder.build()) };
    });
  const keys = Array.from({ length: 12 }, (_, i) => `bucket ${i}`);
  for (const key of [...keys, ...keys]) await use(key);
  expect(written).toEqual(keys);
  await use("bucket 0"); // the oldest is now bucket 1
  await use("one more");
  await use("bucket 0");
  await use("bucket 1");
  expect(written).toEqual([...keys, "one more", "bucket 1"]);
  await sessions.close();
});
