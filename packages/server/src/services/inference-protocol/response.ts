/** @file Writes an infer response: JSON, or JSON followed by the bytes of the outputs that were asked for as binary. */
import { type InferResponse, type OipDatatype, oipDatatypes } from "@gristmill/contract";
import type { Dtype, Tensor } from "@gristmill/onnx";
import type { Answer } from "../../http/index.ts";
import { elementsToBytes, elementsToJson } from "./elements.ts";

/** The protocol's name of an element type. */
export function datatypeOf(dtype: Dtype): OipDatatype {
  const found = Object.entries(oipDatatypes).find(([, own]) => own === dtype);
  if (!found) throw new Error(`the inference protocol has no name for ${dtype}`);
  return found[0] as OipDatatype;
}

/** What answers a request: which outputs, in which order, and which of them as bytes. */
export interface ResponseParts {
  readonly id: string | undefined;
  readonly model: string;
  readonly version: string;
  readonly outputs: readonly (readonly [name: string, tensor: Tensor])[];
  isBinary(output: string): boolean;
}

/** The answer, with `Inference-Header-Content-Length` when bytes follow the JSON. */
export function writeResponse(parts: ResponseParts): Answer {
  const bytes: Uint8Array[] = [];
  const head: InferResponse = {
    model_name: parts.model,
    model_version: parts.version,
    ...(parts.id === undefined ? {} : { id: parts.id }),
    outputs: parts.outputs.map(([name, tensor]) => {
      const described = { name, datatype: datatypeOf(tensor.dtype), shape: tensor.shape };
      if (!parts.isBinary(name)) return { ...described, data: elementsToJson(tensor) };
      const own = elementsToBytes(tensor);
      bytes.push(own);
      return { ...described, parameters: { binary_data_size: own.byteLength } };
    }),
  };
  if (bytes.length === 0) return { body: head };
  const json = Buffer.from(JSON.stringify(head));
  return {
    headers: { "content-type": "application/octet-stream", "inference-header-content-length": String(json.byteLength) },
    body: Buffer.concat([json, ...bytes]),
  };
}
