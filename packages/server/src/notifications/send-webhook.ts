/** @file One attempt to call a webhook. Nothing of its answer is read but the status. */
import { AppError } from "@gristmill/contract";
import type { GuardedFetch } from "../net/index.ts";
import type { SecretBox } from "../secrets/index.ts";
import type { Outcome, Send } from "./notice.ts";
import { signedHeaders } from "./signature.ts";
import type { WebhookRow, WebhookStore } from "./webhook-store.ts";
import { secretContext } from "./webhooks.ts";

/** What calling needs. */
export interface WebhookSenderParts {
  readonly store: Pick<WebhookStore, "find" | "disable">;
  readonly secrets: SecretBox;
  readonly fetch: GuardedFetch;
  readonly now: () => Date;
}

/** "Gone": by the standard, the receiver wants no more. */
const gone = 410;

/** 2xx is delivered; a redirect is not followed: the body was signed for one receiver. */
export function webhookSender({ store, secrets, fetch, now }: WebhookSenderParts): Send {
  return async ({ recipient, messageId, body }, signal) => {
    const webhook = await store.find(recipient);
    if (webhook === undefined) return refused("the webhook was deleted");
    if (!webhook.enabled) return refused("the webhook is switched off");
    const at = now();
    try {
      const headers = signedHeaders(secretsOf(webhook, secrets, at), { id: messageId, at, body });
      const answer = await fetch(webhook.url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body,
        redirect: "manual",
        signal,
      });
      await answer.body?.cancel();
      if (answer.status === gone) await store.disable(webhook.id, "its receiver answered 410: gone");
      return outcomeOf(answer.status);
    } catch (error) {
      if (signal.aborted) return { kind: "interrupted" };
      if (!(error instanceof AppError)) throw error;
      // The message of `url.unreachable` names only what the owner of the webhook has written.
      return { kind: "refused", status: null, error: error.message, isFinal: false };
    }
  };
}

const refused = (error: string): Outcome => ({ kind: "refused", status: null, error, isFinal: true });

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return { kind: "delivered", status };
  const isRedirect = status >= 300 && status < 400;
  const error = isRedirect ? `answered ${status}: redirects are not followed` : `answered ${status}`;
  return { kind: "refused", status, error, isFinal: status === gone };
}

function secretsOf(webhook: WebhookRow, secrets: SecretBox, at: Date): readonly Buffer[] {
  const { id, secret, previous_secret: previous, previous_ends_at: until } = webhook;
  const sealed = previous !== null && until !== null && at < until ? [secret, previous] : [secret];
  return sealed.map((bytes) => secrets.open(bytes, secretContext(id)));
}
