/** @file Signatures of Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
import { createHmac } from "node:crypto";

/** Bytes of a secret; the standard asks for 24 to 64. */
export const secretLength = 32;

/** How a secret is shown to its owner. */
export const secretText = (secret: Uint8Array): string => `whsec_${Buffer.from(secret).toString("base64")}`;

/**
 * The headers by which a receiver knows who sent a body, when, and whether it has seen it before.
 * @param secrets the current one, and while it is being replaced the one before.
 * @param at of this attempt: receivers refuse what is older than some minutes, so a recorded call can't be played again later.
 */
export function signedHeaders(
  secrets: readonly Uint8Array[],
  message: { readonly id: string; readonly at: Date; readonly body: string },
): Readonly<Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>> {
  const timestamp = String(Math.floor(message.at.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const signature = createHmac("sha256", secret).update(`${message.id}.${timestamp}.${message.body}`);
    return `v1,${signature.digest("base64")}`;
  });
  return { "webhook-id": message.id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
