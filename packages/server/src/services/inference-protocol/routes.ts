/** @file Open Inference Protocol V2 over REST: health, metadata, inference. `versions/{v}` is a deployment's revision. */
import { AppError, type InferRequest, inferRequest, type ModelMetadata, modelMetadata } from "@gristmill/contract";
import type { Dtype } from "@gristmill/onnx";
import { z } from "zod";
import { type Answer, type Route, type RouteContext, route } from "../../http/index.ts";
import type { Deployments, DescribedDeployment } from "../../serving/index.ts";
import { servedBy, serviceUse } from "../service-use.ts";
import { type ReadRequest, readRequest } from "./request.ts";
import { datatypeOf, writeResponse } from "./response.ts";

/** What the routes need. */
export interface InferenceProtocolParts {
  readonly deployments: Deployments;
  /** The product's version, for the server's metadata. */
  readonly version: string;
  /** Throws what keeps the server from serving. */
  readonly check: () => Promise<void>;
}

const tag = "Open Inference Protocol";
const shared = { tag, surface: "inference-protocol" } as const;
const modelParams = z.object({ model: z.string(), version: z.string().optional() });
type ModelParams = z.infer<typeof modelParams>;
const modelOf = (params: ModelParams): string => params.model;
/** Large enough for a batch of images as JSON numbers. */
const bodyLimit = 32 * 1024 * 1024;

/** All routes under /v2. */
export function inferenceProtocolRoutes(parts: InferenceProtocolParts): readonly Route[] {
  return [
    ...serverRoutes(parts),
    ...["/v2/models/:model", "/v2/models/:model/versions/:version"].flatMap((path) =>
      modelRoutes(path, parts.deployments),
    ),
  ];
}

function serverRoutes({ version, check }: InferenceProtocolParts): readonly Route[] {
  const health = {
    ...shared,
    access: { public: "probes ask without a key" },
    charge: { free: "a health check" },
  } as const;
  return [
    route({
      ...shared,
      method: "GET",
      path: "/v2",
      summary: "Name, version and extensions of the server",
      access: { known: "it names the server and no model" },
      charge: { free: "metadata" },
      response: z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) }),
      handler: async () => ({ body: { name: "gristmill", version, extensions: ["binary_tensor_data"] } }),
    }),
    route({
      ...health,
      method: "GET",
      path: "/v2/health/live",
      summary: "Is the server alive?",
      response: z.object({ live: z.boolean() }),
      handler: async () => ({ body: { live: true } }),
    }),
    route({
      ...health,
      method: "GET",
      path: "/v2/health/ready",
      summary: "Can the server serve?",
      response: z.object({ ready: z.boolean() }),
      // The protocol's answer for "not ready" is a 4xx, not an error.
      handler: async () =>
        check().then(
          () => ({ body: { ready: true } }),
          () => ({ status: 400, body: { ready: false } }),
        ),
    }),
  ];
}

function modelRoutes(path: string, deployments: Deployments): readonly Route[] {
  const describe = ({
    caller,
    params,
  }: {
    caller: RouteContext<unknown, unknown, unknown>["caller"];
    params: ModelParams;
  }) => deployments.describe(caller.projectId, params.model, revisionOf(params));
  return [
    route({
      ...shared,
      method: "GET",
      path,
      summary: "A model's inputs and outputs",
      access: { scope: "inference" },
      model: modelOf,
      charge: { free: "metadata" },
      params: modelParams,
      response: modelMetadata,
      handler: async (context) => ({ body: metadata(await describe(context)) }),
    }),
    route({
      ...shared,
      method: "GET",
      path: `${path}/ready`,
      summary: "Is a model ready?",
      access: { scope: "inference" },
      model: modelOf,
      charge: { free: "a health check" },
      params: modelParams,
      response: z.object({ name: z.string(), ready: z.boolean() }),
      handler: async (context) => {
        const { name, isReady } = await describe(context);
        return { status: isReady ? 200 : 400, body: { name, ready: isReady } };
      },
    }),
    inferRoute(`${path}/infer`, deployments),
  ];
}

function inferRoute(path: string, deployments: Deployments): Route {
  // Reserving needs the number of rows and the handler the tensors: a body is read once.
  const read = new WeakMap<object, ReadRequest>();
  const requestOf = ({ request }: RouteContext<ModelParams, unknown, InferRequest>): ReadRequest => {
    const known = read.get(request);
    if (known) return known;
    const { body } = request;
    if (!(body instanceof Uint8Array))
      throw new AppError("request.invalid", "The request has no body; send an inference request as JSON.");
    const header = request.headers["inference-header-content-length"];
    const made = readRequest(body, typeof header === "string" ? header : undefined);
    read.set(request, made);
    return made;
  };
  return route({
    ...shared,
    method: "POST",
    path,
    summary: "Run a model on tensors, as JSON or with binary tensor data",
    access: { scope: "inference" },
    audit: { none: "use, which the ledger records" },
    model: modelOf,
    params: modelParams,
    body: inferRequest,
    // The protocol names no content type, and its clients send several, or none.
    consumes: ["*/*"],
    bodyLimit,
    charge: {
      reserve: async (context) => {
        const { rows } = requestOf(context);
        const { caller, params } = context;
        const served = await servedBy(deployments, caller.projectId, params.model, revisionOf(params));
        return serviceUse({ service: "inference", ...served }, rows);
      },
    },
    handler: async (context): Promise<Answer> => {
      const { caller, params, signal } = context;
      const request = requestOf(context);
      const result = await deployments.infer(
        caller.projectId,
        params.model,
        { inputs: request.inputs, ...(request.outputs ? { outputs: request.outputs } : {}) },
        { signal, ...revisionOption(params) },
      );
      for (const quantity of serviceUse({ service: "inference", ...result.served }, request.rows))
        context.use(quantity);
      const names = request.outputs ?? Object.keys(result.outputs);
      return writeResponse({
        id: request.id,
        model: result.served.deployment,
        version: String(result.revision),
        outputs: names.flatMap((name) => {
          const tensor = result.outputs[name];
          return tensor ? [[name, tensor] as const] : [];
        }),
        isBinary: request.isBinary,
      });
    },
  });
}

/** @throws AppError `deployment.revision_not_found` for what is no revision's number. */
function revisionOf({ version }: ModelParams): number | undefined {
  if (version === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(version)) return Number(version);
  throw new AppError(
    "deployment.revision_not_found",
    `Versions are the numbers of a deployment's revisions; "${version}" is none.`,
  );
}

function revisionOption(params: ModelParams): { revision?: number } {
  const revision = revisionOf(params);
  return revision === undefined ? {} : { revision };
}

function metadata(deployment: DescribedDeployment): ModelMetadata {
  const tensors = (list: DescribedDeployment["inputs"]) =>
    list.map(({ name, dtype, shape }) => ({ name, datatype: datatypeOf(dtype as Dtype), shape: [...shape] }));
  return {
    name: deployment.name,
    versions: [String(deployment.revision)],
    platform: "onnx_onnxv1",
    inputs: tensors(deployment.inputs),
    outputs: tensors(deployment.outputs),
  };
}
