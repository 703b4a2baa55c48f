/** @file The OpenAPI 3.1 document, from the same values that the pipeline runs and the same schemas that it checks with. */
import { errorBody } from "@gristmill/contract";
import { z } from "zod";
import { openAiErrorBody } from "./openai-failures.ts";
import type { Route, Surface } from "./route.ts";

/** JSON, as the document holds it. */
export type Json = { readonly [key: string]: unknown };

/** What the document says of the platform itself. */
export interface DocumentTitle {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

/** The document of these routes. */
export function openApiDocument(routes: readonly Route[], info: DocumentTitle): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info,
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "An API key or the admin key." },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "gristmill_session",
          description: "A signed-in person's. Changes also need the header x-csrf-token, as GET /api/session tells it.",
        },
      },
      schemas: {
        Error: schemaOf(errorBody, "output"),
        OpenAiError: schemaOf(openAiErrorBody, "output"),
        ProtocolError: { type: "object", properties: { error: { type: "string" } }, required: ["error"] },
      },
    },
  };
}

function operation(route: Route): Json {
  const isPublic = "public" in route.access;
  return {
    summary: route.summary,
    tags: [route.tag],
    operationId: operationId(route),
    security: isPublic ? [] : [{ key: [] }, { session: [] }],
    ...("scope" in route.access ? { "x-required-scope": route.access.scope } : {}),
    ...(parameters(route).length === 0 ? {} : { parameters: parameters(route) }),
    ...requestBody(route),
    responses: { [String(route.successStatus ?? 200)]: success(route), default: failure(route) },
  };
}

/** "get_api_datasets_by_dataset": unique, because method and path are. */
const operationId = (route: Route): string =>
  `${route.method.toLowerCase()}${route.path.replace(/:/g, "by_").replace(/[^a-zA-Z0-9_]+/g, "_")}`.replace(/_$/, "");

function parameters(route: Route): readonly Json[] {
  const places = [
    ["path", route.params],
    ["query", route.query],
  ] as const;
  return places.flatMap(([place, schema]) => {
    if (schema === undefined) return [];
    const { properties = {}, required = [] } = schemaOf(schema, "input") as {
      properties?: Record<string, Json>;
      required?: readonly string[];
    };
    return Object.entries(properties).map(([name, property]) => ({
      name,
      in: place,
      required: place === "path" || required.includes(name),
      schema: property,
    }));
  });
}

function requestBody(route: Route): Json {
  const content: Record<string, Json> = {};
  const raw = route.consumes ?? [];
  // "*/*": the route reads JSON itself, whatever the type says, and perhaps more than JSON.
  if (route.body !== undefined && !raw.includes("application/json"))
    content["application/json"] = { schema: schemaOf(route.body, "input") };
  for (const type of raw.map((name) => (name === "*/*" ? "application/octet-stream" : name)))
    content[type] = {
      schema: type === "multipart/form-data" ? { type: "object" } : { type: "string", format: "binary" },
    };
  return Object.keys(content).length === 0 ? {} : { requestBody: { required: true, content } };
}

function success(route: Route): Json {
  const description = route.summary;
  if (route.response === undefined) return { description };
  return { description, content: { "application/json": { schema: schemaOf(route.response, "output") } } };
}

const failureSchemas: Record<Surface, string> = {
  api: "Error",
  openai: "OpenAiError",
  "inference-protocol": "ProtocolError",
};

function failure(route: Route): Json {
  const name = failureSchemas[route.surface ?? "api"];
  return {
    description: "Any failure.",
    content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
  };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    // Zod writes a date-time's pattern of 250 characters beside its format, which says the same.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
    },
  });
  return json;
}
