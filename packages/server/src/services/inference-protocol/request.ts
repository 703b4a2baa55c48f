/** @file Reads an infer request: JSON, or JSON followed by the bytes of its tensors (the binary tensor extension). */
import { AppError, type InferRequest, inferRequest, oipDatatypes } from "@gristmill/contract";
import type { Tensor } from "@gristmill/onnx";
import { ElementError, elementsFromBytes, elementsFromJson } from "./elements.ts";

/** A request with its tensors, and how each output is wanted. */
export interface ReadRequest {
  readonly id: string | undefined;
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Wanted outputs in order; undefined: all. */
  readonly outputs: readonly string[] | undefined;
  isBinary(output: string): boolean;
  /** Rows of the first input, which is what is billed; 1 for a scalar. */
  readonly rows: number;
}

/**
 * @param headerLength `Inference-Header-Content-Length`: where the JSON ends and tensor bytes begin.
 * @throws AppError `request.invalid` for what breaks the protocol, `engine.input_invalid` for data that is not of its shape or datatype.
 */
export function readRequest(body: Uint8Array, headerLength: string | undefined): ReadRequest {
  const end = headerLength === undefined ? body.byteLength : parseLength(headerLength, body.byteLength);
  const request = parse(body.subarray(0, end));
  const tensors = readTensors(request, body.subarray(end), headerLength !== undefined);
  const allBinary = request.parameters?.["binary_data_output"] === true;
  // An empty list names none, and who names none gets all.
  const named = request.outputs?.length ? request.outputs : undefined;
  const wanted = new Map(named?.map((output) => [output.name, output.parameters?.["binary_data"]]));
  const first = Object.values(tensors)[0];
  return {
    id: request.id,
    inputs: tensors,
    outputs: named?.map((output) => output.name),
    isBinary: (output) => {
      const own = wanted.get(output);
      return own === undefined ? allBinary : own === true;
    },
    rows: Math.max(1, first?.shape[0] ?? 1),
  };
}

function parseLength(text: string, most: number): number {
  const length = Number(text);
  if (/^\d+$/.test(text) && length <= most) return length;
  throw new AppError(
    "request.invalid",
    `Inference-Header-Content-Length: expected a whole number up to the body's ${most} bytes, received "${text}".`,
  );
}

function parse(bytes: Uint8Array): InferRequest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AppError(
      "request.invalid",
      `The body is not JSON: ${cause instanceof Error ? cause.message : "unreadable"}.`,
      { cause },
    );
  }
  const result = inferRequest.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
  throw new AppError("request.invalid", `The request breaks the protocol: ${problems.join("; ")}.`, {
    details: { problems },
  });
}

function readTensors(request: InferRequest, bytes: Uint8Array, hasBytes: boolean): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = Object.create(null);
  let at = 0;
  for (const input of request.inputs) {
    if (Object.hasOwn(tensors, input.name))
      throw new AppError("request.invalid", `Input "${input.name}" is given twice; send each input once.`);
    const dtype = oipDatatypes[input.datatype];
    const size = input.parameters?.["binary_data_size"];
    try {
      if (size === undefined) {
        tensors[input.name] = {
          dtype,
          shape: input.shape,
          data: elementsFromJson(dtype, input.shape, input.data),
        } as Tensor;
        continue;
      }
      if (!hasBytes) throw new ElementError("binary_data_size needs the header Inference-Header-Content-Length");
      if (typeof size !== "number" || !Number.isInteger(size) || size < 0 || at + size > bytes.byteLength)
        throw new ElementError(
          `binary_data_size ${JSON.stringify(size)}: ${bytes.byteLength - at} bytes are left in the body`,
        );
      const own = bytes.subarray(at, at + size);
      at += size;
      tensors[input.name] = { dtype, shape: input.shape, data: elementsFromBytes(dtype, input.shape, own) } as Tensor;
    } catch (cause) {
      if (!(cause instanceof ElementError)) throw cause;
      throw new AppError("engine.input_invalid", `Input "${input.name}" (${input.datatype}): ${cause.message}.`, {
        cause,
      });
    }
  }
  if (at !== bytes.byteLength)
    throw new AppError(
      "request.invalid",
      `${bytes.byteLength - at} bytes follow the last tensor; each input names its own by binary_data_size.`,
    );
  return tensors;
}
