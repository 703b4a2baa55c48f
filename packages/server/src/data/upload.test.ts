import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { idxHeader, idxImages, idxLabels } from "./testing/idx-files.ts";
import { type OpenData, openData } from "./testing/open-data.ts";

const fileBytes = 4_000_000;
const fields = {
  name: "tiny",
  format: "idx",
  class_names: ["no", "yes"],
  licence: "CC0-1.0",
  labels: { team: "vision" },
};
const images = idxImages(4, 3, 5);
const labels = idxLabels([0, 1, 1, 0]);

let open: OpenData;
let port: number;
beforeEach(async () => {
  open = await openData({ limits: { fileBytes, totalBytes: 6_000_000, splits: 2 } });
  port = await open.http.listen("127.0.0.1", 0);
});
afterEach(() => open.close());

/** Over a real socket, as a client does. */
async function upload(parts: readonly (readonly [string, string | Buffer])[]) {
  const form = new FormData();
  for (const [name, content] of parts)
    if (typeof content === "string") form.append(name, content);
    else form.append(name, new Blob([new Uint8Array(content)]), `${name}.idx`);
  const answer = await fetch(`http://localhost:${port}/api/datasets`, {
    method: "POST",
    body: form,
    headers: { authorization: "Bearer own" },
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes are compared below
  return { status: answer.status, body: (await answer.json()) as any };
}

const dataset = ["dataset", JSON.stringify(fields)] as const;

describe("uploading a dataset", () => {
  it("[DAT1] [DAT11] takes plain and gzipped files, and stores both unpacked", async () => {
    const { status, body } = await upload([
      dataset,
      ["train.images", gzipSync(images)],
      ["train.labels", labels],
      ["test.labels", gzipSync(idxLabels([1]))],
      ["test.images", idxImages(1, 3, 5)],
    ]);
    expect(body).toMatchObject({
      status: "ready",
      licence: "CC0-1.0",
      labels: { team: "vision" },
      source: { type: "upload" },
      latest_version: { record_shape: [3, 5, 1], class_names: ["no", "yes"], size_bytes: 76 + 12 + 31 + 9 },
    });
    expect(status).toBe(202);
    expect(body.latest_version.splits).toMatchObject([
      { name: "test", class_counts: [0, 1] },
      { name: "train", class_counts: [2, 2] },
    ]);
    expect(await open.usage()).toMatchObject([{ quantity: "128" }]);
  });

  it("[DAT2] gives the same bytes the same hash, plain or packed", async () => {
    const hashes = [];
    for (const name of ["a", "b"]) {
      const content = name === "a" ? images : gzipSync(images);
      const named = ["dataset", JSON.stringify({ ...fields, name })] as const;
      hashes.push(
        (await upload([named, ["train.images", content], ["train.labels", labels]])).body.latest_version.sha256,
      );
    }
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(hashes[1]).toBe(hashes[0]);
    expect(await open.stored()).toHaveLength(2);
  });

  it.each([
    [
      "truncated images",
      images.subarray(0, 50),
      labels,
      "data.malformed",
      "train.images: expected 76 bytes (4 records of 15 after a header of 16), received 50.",
    ],
    [
      "truncated labels",
      images,
      labels.subarray(0, 11),
      "data.malformed",
      "train.labels: expected 12 bytes (4 records of 1 after a header of 8), received 11.",
    ],
    ["a wrong magic number", randomMagic(), labels, "data.malformed", "received 0x"],
    ["damaged gzip", damagedGzip(), labels, "data.malformed", "its gzip compression is damaged"],
    [
      "gzip that ends early",
      gzipSync(images).subarray(0, 30),
      labels,
      "data.malformed",
      "its gzip compression is damaged (unexpected end of file)",
    ],
    ["an empty file", Buffer.alloc(0), labels, "data.malformed", "received only 0 bytes"],
    ["counts that differ", images, idxLabels([0, 1, 1]), "data.mismatch", 'Split "train": 4 images, but 3 labels.'],
    [
      "a label without a class",
      images,
      idxLabels([0, 1, 1, 2]),
      "data.mismatch",
      "record 3 has the label 2, but class_names has 2 names",
    ],
  ])("[DAT5] refuses %s; nothing of it stays but the reason", async (_, badImages, badLabels, code, message) => {
    const { body } = await upload([dataset, ["train.images", badImages], ["train.labels", badLabels]]);
    expect(body.error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect((await open.call("GET", "/api/datasets/tiny")).body).toMatchObject({
      status: "failed",
      latest_version: null,
      error: { code, message: expect.stringContaining(message) },
    });
    expect(await open.stored()).toEqual([]);
    expect(await open.usage()).toEqual([]);
    expect(await readdir(join(open.home, "work", "imports"))).toEqual([]);
    // and the name is free [DAT4]
    expect((await upload([dataset, ["train.images", images], ["train.labels", labels]])).status).toBe(202);
  });

  it("[DAT6] refuses a file above the limit by its header, by its length, and when it unpacks to more", async () => {
    const huge = Buffer.concat([idxHeader(60_000, 28, 28), Buffer.alloc(1000)]);
    const bomb = gzipSync(Buffer.concat([images, Buffer.alloc(50_000_000)]));
    const many = idxImages(300, 100, 100); // 3,000,016 bytes: twice that is more than one dataset may have
    const cases: [string, string, Buffer][] = [
      ["request.too_large", "its header announces 60000 x 28 x 28 bytes", huge],
      ["data.malformed", "expected 76 bytes", bomb],
      ["data.malformed", "expected 76 bytes", Buffer.concat([images, Buffer.alloc(fileBytes)])],
    ];
    for (const [code, message, content] of cases)
      expect((await upload([dataset, ["train.images", content], ["train.labels", labels]])).body.error).toMatchObject({
        code,
        message: expect.stringContaining(message),
      });
    const three = idxLabels(Array.from({ length: 300 }, () => 0));
    const both = await upload([
      dataset,
      ["a.images", many],
      ["a.labels", three],
      ["b.images", many],
      ["b.labels", three],
    ]);
    expect(both.body.error.code).toBe("request.too_large");
    expect(await readdir(join(open.home, "work", "imports"))).toEqual([]);
  });

  it("[DAT6] refuses more files than splits allow", async () => {
    const parts = ["a", "b", "c"].flatMap((name) => [
      [`${name}.images`, images] as const,
      [`${name}.labels`, labels] as const,
    ]);
    expect((await upload([dataset, ...parts])).status).toBe(413);
  });

  it("refuses a form whose parts are not those of an upload", async () => {
    const good = ["train.images", images] as const;
    const cases: [string, readonly (readonly [string, string | Buffer])[]][] = [
      ['first part must be "dataset"', [good, dataset]],
      ['first part must be "dataset"', []],
      ["is no JSON", [["dataset", "{"], good]],
      ["dataset.name", [["dataset", JSON.stringify({ ...fields, name: "../x" })], good]],
      ['"train.pictures"', [dataset, ["train.pictures", images]]],
      ['"../evil.images"', [dataset, ["../evil.images", images]]],
      ['"train.images"', [dataset, ["train.images", "text"]]],
      ['has no file "train.labels"', [dataset, good]],
      ['has "train.images" twice', [dataset, good, good]],
      ["at least one split", [dataset]],
    ];
    for (const [message, parts] of cases) {
      const { body } = await upload(parts);
      expect(body.error).toMatchObject({ code: "request.invalid", message: expect.stringContaining(message) });
    }
    expect(await open.stored()).toEqual([]);
  });

  it("[DAT10] fails an upload whose client goes away in the middle, and says so", async () => {
    const socket = connect((open.http.app.server.address() as AddressInfo).port, "127.0.0.1");
    const part = (name: string, more: string): string =>
      `--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
    const start = `${part("dataset", "")}${JSON.stringify(fields)}\r\n${part("train.images", '; filename="i"')}`;
    socket.write(
      `POST /api/datasets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer own\r\nContent-Length: 100000\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n${start}`,
    );
    socket.write(images.subarray(0, 40));
    while ((await open.call("GET", "/api/datasets/tiny")).status === 404);
    socket.destroy();
    expect((await open.waitFor("tiny", "failed")).error).toMatchObject({
      code: "request.cancelled",
      message: expect.stringContaining("upload the dataset again"),
    });
    expect(await readdir(join(open.home, "work", "imports"))).toEqual([]);
  });
});

/** Neither IDX nor gzip. */
/** A header and the first bytes of a deflate stream, then a block of the kind that deflate does not have (RFC 1951, 3.2.3). */
function damagedGzip(): Buffer {
  return Buffer.concat([gzipSync(images).subarray(0, 10), Buffer.from([0b111]), randomBytes(20)]);
}

function randomMagic(): Buffer {
  return Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), randomBytes(100)]);
}
