import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Gristmill } from "../client.ts";
import { sendJson, serve } from "../testing/serve.ts";
import { imageType } from "./image-type.ts";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "gristmill-sdk-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

it("an upload sends the description first, then each split's files from disk", async () => {
  const at = await folder();
  await writeFile(join(at, "i"), "IMAGES");
  await writeFile(join(at, "l"), "LABELS");
  const { baseUrl, received } = await serve((_, response) => sendJson(response, 202, { id: "dst_1" }));
  const { datasets } = new Gristmill({ baseUrl, apiKey: "k" });
  await datasets.upload({ name: "d", format: "idx" }, { train: { images: join(at, "i"), labels: join(at, "l") } });
  const [one] = received;
  const form = await new Response(new Uint8Array(one?.body ?? []), {
    headers: { "content-type": one?.headers["content-type"] ?? "" },
  }).formData();
  expect([...form.keys()]).toEqual(["dataset", "train.images", "train.labels"]);
  expect(JSON.parse(String(form.get("dataset")))).toEqual({ name: "d", format: "idx" });
  const images = form.get("train.images");
  expect(images instanceof File ? await images.text() : images).toBe("IMAGES");
});

it("a file that is not there is named before anything is sent", async () => {
  const { datasets } = new Gristmill({ baseUrl: "http://127.0.0.1:2", apiKey: "k" });
  await expect(
    datasets.upload({ name: "d", format: "idx" }, { train: { images: "/no/such", labels: "/no" } }),
  ).rejects.toThrow("/no/such");
});

it("a download appears whole or not at all", async () => {
  const at = await folder();
  const { baseUrl } = await serve((request, response) => {
    if (request.path.includes("/versions/1/")) return response.end("ONNX");
    response.writeHead(200, { "content-length": "100" }).write("ON");
    setTimeout(() => response.destroy(), 20);
    return response;
  });
  const { models } = new Gristmill({ baseUrl, apiKey: "k" });
  await models.download("m", 1, join(at, "one.onnx"));
  expect(await readFile(join(at, "one.onnx"), "utf8")).toBe("ONNX");
  await expect(models.download("m", 2, join(at, "two.onnx"))).rejects.toThrow();
  expect(await readdir(at)).toEqual(["one.onnx"]);
});

it("knows PNG, JPEG and WebP by their first bytes, and claims nothing of others", () => {
  expect(imageType(Buffer.from("89504e470d0a1a0a00", "hex"))).toBe("image/png");
  expect(imageType(Buffer.from("ffd8ffe000", "hex"))).toBe("image/jpeg");
  expect(imageType(Buffer.from("RIFFxxxxWEBPVP8 "))).toBe("image/webp");
  expect(imageType(Buffer.from("GIF89a"))).toBe("application/octet-stream");
  expect(imageType(new Uint8Array())).toBe("application/octet-stream");
});
