/**
 * @file The one door to ONNX Runtime. The native library is loaded when the first session is opened, never by importing
 * this package: the platform's main process checks graphs and must not carry native code.
 */
import type { InferenceSession, Tensor as NativeTensor } from "onnxruntime-node";
import { type Dtype, dtypes } from "../dtype.ts";
import { SessionError } from "../errors.ts";
import type { Dim, Shape } from "../shape.ts";
import { type Tensor, tensor } from "../tensor.ts";

/** What a session takes or gives under a name. */
export interface Port {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
}

/** How ONNX Runtime shall run a model. */
export interface RuntimeSettings {
  readonly threads: number;
  readonly spinning: boolean;
  readonly optimization: "all" | "basic" | "none";
  readonly dimensions: Readonly<Record<string, number>>;
  readonly profile: string | undefined;
}

/** A loaded model. `run` blocks the event loop of its process for the whole call. */
export interface NativeSession {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Fetches name the wanted outputs, with the tensor to write into where there is one. */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: Readonly<Record<string, Tensor | undefined>>,
  ): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** Loads a model from bytes, or from the file at a path. Rejects with what ONNX Runtime says. */
export async function openNative(model: Uint8Array | string, settings: RuntimeSettings): Promise<NativeSession> {
  const runtime = await import("onnxruntime-node");
  const options: InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    intraOpNumThreads: settings.threads,
    extra: { session: { intra_op: { allow_spinning: settings.spinning ? "1" : "0" } } },
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: settings.optimization === "none" ? "disabled" : settings.optimization,
    freeDimensionOverrides: settings.dimensions,
    // errors come back as exceptions; the log would only repeat them on the process's stderr
    logSeverityLevel: 4,
    ...(settings.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: settings.profile }),
  };
  const native =
    typeof model === "string"
      ? await runtime.InferenceSession.create(model, options)
      : await runtime.InferenceSession.create(model, options);

  const toNative = (value: Tensor): NativeTensor => {
    const made = new runtime.Tensor(value.dtype, value.data as Uint16Array, [...value.shape]) as NativeTensor;
    // Where JavaScript has Float16Array, ONNX Runtime's wrapper makes one of the bits, but its binding (Node-API 6, seen
    // in 1.30.0) knows no such array, and reads 0 bytes from it. It does read bits.
    if (value.dtype === "float16") Object.defineProperty(made, "data", { value: value.data });
    return made;
  };

  const portsOrRelease = async (metas: readonly InferenceSession.ValueMetadata[]): Promise<Port[]> => {
    try {
      return metas.map((meta) => toPort(meta, settings.dimensions));
    } catch (error) {
      await native.release();
      throw error;
    }
  };

  return {
    inputs: await portsOrRelease(native.inputMetadata),
    outputs: await portsOrRelease(native.outputMetadata),
    async run(feeds, fetches) {
      const fed = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, toNative(value)]));
      const wanted = Object.fromEntries(
        Object.entries(fetches).map(([name, value]) => [name, value === undefined ? null : toNative(value)]),
      );
      const results = await native.run(fed, wanted);
      return Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, fetches[name] ?? fromNative(name, value)]),
      );
    },
    release: () => native.release(),
  };
}

function fromNative(name: string, value: unknown): Tensor {
  const { type, dims, data } = value as NativeTensor;
  const dtype = dtypes.find((known) => known === type);
  if (dtype === undefined)
    throw new SessionError(name, `ONNX Runtime gave an output of type ${type}, which is not supported`);
  if (dtype === "float16" && ArrayBuffer.isView(data))
    return tensor(dtype, [...dims], new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2));
  return tensor(dtype, [...dims], data as never);
}

function toPort(meta: InferenceSession.ValueMetadata, dimensions: RuntimeSettings["dimensions"]): Port {
  if (!meta.isTensor)
    throw new SessionError(meta.name, "expected a tensor, received a sequence or map, which is not supported");
  const dtype = dtypes.find((known) => known === meta.type);
  if (dtype === undefined) throw new SessionError(meta.name, `element type ${meta.type} is not supported`);
  // a nameless axis gets a name that no other axis has, since nothing says that two of them are equal
  const shape = meta.shape.map((dim, axis): Dim => {
    // a nameless axis gets a name that no other axis has, since nothing says that two of them are equal
    if (dim === "") return `${meta.name}.axis${axis}`;
    return typeof dim === "string" && Object.hasOwn(dimensions, dim) ? (dimensions[dim] ?? dim) : dim;
  });
  return { name: meta.name, dtype, shape };
}
