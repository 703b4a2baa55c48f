/** @file Open Inference Protocol V2, REST, with the binary tensor extension's fields. */
import { z } from "zod";

/** Datatypes of the protocol and the element types of tensors. */
export const oipDatatypes = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FP16: "float16",
  FP32: "float32",
  FP64: "float64",
  BYTES: "string",
} as const;
export type OipDatatype = keyof typeof oipDatatypes;

const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

export const inferInput = z.object({
  name: z.string().min(1),
  shape: z.array(z.number().int().min(0)).max(16),
  datatype: z.enum(Object.keys(oipDatatypes) as [OipDatatype, ...OipDatatype[]]),
  parameters: parameters.optional(),
  /** Row-major, flat or nested; absent when `parameters.binary_data_size` says that bytes follow. Checked by the tensor reader: element by element here would cost more than the model. */
  data: z.unknown().optional(),
});
export const inferRequest = z.object({
  id: z.string().max(256).optional(),
  parameters: parameters.optional(),
  inputs: z.array(inferInput).min(1).max(64),
  outputs: z
    .array(z.object({ name: z.string(), parameters: parameters.optional() }))
    .max(64)
    .optional(),
});
export type InferRequest = z.infer<typeof inferRequest>;

export interface InferResponse {
  readonly model_name: string;
  readonly model_version?: string;
  readonly id?: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly datatype: OipDatatype;
    readonly shape: readonly number[];
    readonly parameters?: Readonly<Record<string, string | number | boolean>>;
    readonly data?: unknown;
  }[];
}

export const modelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()).optional(),
  platform: z.string(),
  inputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number().int()) })),
  outputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number().int()) })),
});
export type ModelMetadata = z.infer<typeof modelMetadata>;
