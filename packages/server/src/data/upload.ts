/** @file The parts of an upload, in order: "dataset" (JSON) first, then one file for each `<split>.images` and `<split>.labels`. */
import type { Readable } from "node:stream";
import type { MultipartFile, MultipartValue } from "@fastify/multipart";
import { AppError, resourceName, type UploadDataset, uploadDataset } from "@gristmill/contract";
import type { FastifyRequest } from "fastify";
import { holdsNul } from "../http/index.ts";
import type { IdxKind } from "./idx.ts";
import type { IncomingFile } from "./staging.ts";

/** An upload whose first part has been read. The files must be read in order, each to its end. */
export interface Upload {
  readonly fields: UploadDataset;
  readonly files: AsyncIterable<IncomingFile>;
}

type Part = MultipartFile | MultipartValue;

const fieldBytes = 2 ** 20;

/**
 * Reads the first part, and gives the rest as it arrives.
 * @param splits files are at most twice as many.
 * @throws AppError `request.invalid` naming each problem.
 */
export async function readUpload(request: FastifyRequest, splits: number): Promise<Upload> {
  const parts = request.parts({
    // The size of files is counted as they are unpacked; here they may be as long as the client likes.
    limits: { fileSize: Number.POSITIVE_INFINITY, fieldSize: fieldBytes, files: 2 * splits + 1, parts: 2 * splits + 2 },
  });
  const first = await parts.next();
  if (first.done === true || first.value.fieldname !== "dataset")
    throw invalid(`The upload's first part must be "dataset" with its JSON; received ${describe(first.value)}.`);
  return { fields: parseFields(await textOf(first.value)), files: files(parts) };
}

async function* files(parts: AsyncIterable<Part>): AsyncGenerator<IncomingFile> {
  for await (const part of parts) {
    if (part.type !== "file")
      throw invalid(
        `Expected a file named "<split>.images" or "<split>.labels", received the field ${describe(part)}.`,
      );
    yield { ...placeOf(part), content: part.file as Readable };
  }
}

function placeOf(part: MultipartFile): { split: string; kind: IdxKind } {
  const found = /^(.+)\.(images|labels)$/.exec(part.fieldname);
  const [, split = "", kind] = found ?? [];
  if (kind === undefined || !resourceName.safeParse(split).success)
    throw invalid(`Expected a file named "<split>.images" or "<split>.labels", received ${describe(part)}.`);
  return { split, kind: kind as IdxKind };
}

/** A browser's Blob of JSON arrives as a file, a string as a field. */
async function textOf(part: Part): Promise<string> {
  if (part.type === "field") return String(part.value);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of part.file as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > fieldBytes)
      throw new AppError("request.too_large", `The part "dataset" has more than ${fieldBytes} bytes.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function parseFields(json: string): UploadDataset {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new AppError("request.invalid", 'The part "dataset" is no JSON.', { cause });
  }
  if (holdsNul(value)) throw invalid('The part "dataset" holds the character U+0000, which can\'t be stored.');
  const parsed = uploadDataset.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({ field: issue.path.join("."), problem: issue.message }));
  throw new AppError(
    "request.invalid",
    problems.map(({ field, problem }) => `dataset.${field}: ${problem}.`).join(" "),
    {
      details: { problems },
    },
  );
}

const invalid = (message: string): AppError => new AppError("request.invalid", message);

const describe = (part: Part | undefined): string =>
  part === undefined ? "nothing" : `"${String(part.fieldname).slice(0, 100)}"`;
