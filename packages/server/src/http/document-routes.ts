/**
 * @file `/openapi.json` and `/docs`: the API reference, readable with no other host. Both are made when first asked for, because
 * most servers are never asked and the reader's script alone has 1.7 MB.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { AppError } from "@gristmill/contract";
import { z } from "zod";
import { type DocumentTitle, type Json, openApiDocument } from "./openapi.ts";
import { type Route, route } from "./route.ts";

/** The files of Swagger UI that the page needs, with their types; no other name is served. */
const files: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Gristmill: API reference</title>
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png" />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="reference"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** A file of its own, so that the page's policy can forbid scripts inside the page. */
const startScript = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#reference", deepLinking: true, validatorUrl: null });\n`;

/** Nothing from other hosts; Swagger UI draws its icons from data: URLs and sets styles on elements. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Routes of the reference; `routes` are all that it describes. */
export function documentRoutes(routes: readonly Route[], info: DocumentTitle): readonly Route[] {
  let document: Json | undefined;
  const isPublic = { public: "the API reference is no secret" } as const;
  const free = { free: "documentation" } as const;
  return [
    route({
      method: "GET",
      path: "/openapi.json",
      summary: "This API as an OpenAPI 3.1 document",
      tag: "Documentation",
      access: isPublic,
      charge: free,
      handler: async () => {
        document ??= openApiDocument(routes, info);
        return { body: document };
      },
    }),
    route({
      method: "GET",
      path: "/docs",
      summary: "The API reference as a page",
      tag: "Documentation",
      access: isPublic,
      charge: free,
      handler: async () => ({
        headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
        body: Buffer.from(page),
      }),
    }),
    route({
      method: "GET",
      path: "/docs/:file",
      summary: "Files of the page",
      tag: "Documentation",
      params: z.strictObject({ file: z.string() }),
      access: isPublic,
      charge: free,
      handler: async ({ params: { file } }) => {
        const headers = { "cache-control": "max-age=3600" };
        if (file === "start.js")
          return {
            headers: { ...headers, "content-type": "text/javascript; charset=utf-8" },
            body: Buffer.from(startScript),
          };
        const type = files[file];
        if (type === undefined) throw new AppError("route.not_found", `There is no /docs/${file}.`);
        return { headers: { ...headers, "content-type": type }, body: await readFile(join(readerFolder(), file)) };
      },
    }),
  ];
}

const readerFolder = (): string =>
  join(dirname(createRequire(import.meta.url).resolve("@fastify/swagger-ui")), "static");
