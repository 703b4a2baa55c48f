/** @file HTTP face of keys: parse, call, shape the reply. */
import {
  type ApiKey,
  apiKey,
  createdKey,
  createKey,
  deleted,
  listOf,
  listQuery,
  rotateKey,
  updateKey,
} from "@gristmill/contract";
import { z } from "zod";
import { pageOf, type Route, route } from "../../http/index.ts";
import type { KeyRow } from "../tables.ts";
import type { KeyService } from "./service.ts";

const common = { tag: "Keys", charge: { free: "management of the platform itself" } } as const;
const reading = { ...common, access: { scope: "keys:read" } } as const;
const writing = { ...common, access: { scope: "keys:write" } } as const;
const params = z.strictObject({ key: z.string().max(64) });
const secretInside = { "cache-control": "no-store" };

/** Routes of `/api/keys`. */
export const keyRoutes = (service: KeyService): readonly Route[] => [
  route({
    ...reading,
    method: "GET",
    path: "/api/keys",
    summary: "List the project's keys, revoked ones too",
    query: listQuery,
    response: listOf(apiKey),
    handler: async ({ caller, query }) => ({ body: pageOf(await service.list(caller, query), query.limit, keyToWire) }),
  }),
  route({
    ...writing,
    method: "POST",
    path: "/api/keys",
    summary: "Make a key; this answer alone holds the key itself",
    audit: { action: "api_key.created" },
    body: createKey,
    response: createdKey,
    successStatus: 201,
    handler: async ({ caller, body }) => {
      const { row, key } = await service.create(caller, body);
      return { status: 201, headers: secretInside, body: { ...keyToWire(row), key } };
    },
  }),
  route({
    ...reading,
    method: "GET",
    path: "/api/keys/:key",
    summary: "Show a key",
    params,
    response: apiKey,
    handler: async ({ caller, params }) => ({ body: keyToWire(await service.get(caller, params.key)) }),
  }),
  route({
    ...writing,
    method: "PATCH",
    path: "/api/keys/:key",
    summary: "Change a key's name, scopes, models or expiry",
    audit: { action: "api_key.updated" },
    params,
    body: updateKey,
    response: apiKey,
    handler: async ({ caller, params, body }) => ({ body: keyToWire(await service.update(caller, params.key, body)) }),
  }),
  route({
    ...writing,
    method: "POST",
    path: "/api/keys/:key/rotate",
    summary: "Give a key a new secret; the old one may go on for a while",
    audit: { action: "api_key.rotated" },
    params,
    body: rotateKey,
    response: createdKey,
    handler: async ({ caller, params, body }) => {
      const { row, key } = await service.rotate(caller, params.key, body.grace_seconds);
      return { headers: secretInside, body: { ...keyToWire(row), key } };
    },
  }),
  route({
    ...writing,
    method: "DELETE",
    path: "/api/keys/:key",
    summary: "Revoke a key; its row stays, because usage names it",
    audit: { action: "api_key.deleted" },
    params,
    response: deleted,
    handler: async ({ caller, params }) => {
      await service.revoke(caller, params.key);
      return { body: { id: params.key, object: "key", deleted: true } };
    },
  }),
];

const keyToWire = (row: KeyRow): ApiKey => ({
  id: row.id,
  object: "key",
  project_id: row.project_id,
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  models: row.models,
  user_id: row.user_id,
  service_account_id: row.service_account_id,
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at?.toISOString() ?? null,
  last_used_at: row.last_used_at?.toISOString() ?? null,
  revoked_at: row.revoked_at?.toISOString() ?? null,
  rotated_at: row.rotated_at?.toISOString() ?? null,
  grace_ends_at: row.grace_ends_at?.toISOString() ?? null,
});
