/** @file What is secret of an upstream, sealed for it alone. */
import type { UpstreamCredentials } from "@gristmill/contract";
import type { SecretBox } from "../secrets/index.ts";

/** Headers may hold keys too, so their values are as secret as the credentials. */
export interface UpstreamSecrets {
  readonly credentials: UpstreamCredentials | null;
  readonly headers: Readonly<Record<string, string>>;
}

const contextOf = (id: string): string => `upstream ${id}`;

/** Seals for the upstream of that id. */
export const sealSecrets = (box: SecretBox, id: string, secrets: UpstreamSecrets): Buffer =>
  box.seal(Buffer.from(JSON.stringify(secrets)), contextOf(id));

/** @throws AppError `secret.unreadable`. */
export const openSecrets = (box: SecretBox, { id, sealed }: { id: string; sealed: Uint8Array }): UpstreamSecrets =>
  JSON.parse(box.open(sealed, contextOf(id)).toString()) as UpstreamSecrets;
