/** @file Mail by SMTP. Addresses and subjects come from users: nothing of them is parsed, and each stays one line. */
import { AppError } from "@gristmill/contract";
import type { Send } from "./notice.ts";

/** The operator's mail server. */
export interface SmtpSettings {
  /** "smtp://user:password@host:587", "smtps://host". */
  readonly url: string;
  /** The sender's address. */
  readonly from: string;
}

/** One letter. */
export interface Mail {
  /** One address, nothing around it. */
  readonly to: string;
  readonly subject: string;
  /** Plain text. */
  readonly text: string;
  /** Stable, so that a letter sent twice is seen to be one; without it the library's own. */
  readonly id?: string;
}

/**
 * Sends a letter.
 * @throws AppError `request.invalid` when `to` is not one plain address; `mail.failed` when the mail server does not take
 *   the letter; the signal's reason.
 */
export type SendMail = (mail: Mail, signal: AbortSignal) => Promise<void>;

const timeoutMs = 20_000;

/** Nothing that a list, a comment, a route or a display name is made of: the library reads addresses of the envelope as text. */
const plainAddress = /^[^\s\p{C}<>(),;:"[\]\\@]{1,64}@[^\s\p{C}<>(),;:"[\]\\@]{1,255}$/u;

/** A connection for each letter. Passwords go over TLS only. */
export function createSendMail({ url, from }: SmtpSettings): SendMail {
  const { hostname, username } = new URL(url);
  const isHere = hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
  return async ({ to, subject, text, id }, signal) => {
    if (!plainAddress.test(to))
      throw new AppError("request.invalid", "Expected one e-mail address, such as a@example.com.");
    // Loaded by the first letter: most servers send none.
    const { createTransport } = await import("nodemailer");
    const transport = createTransport({
      url,
      requireTLS: username !== "" && !isHere && url.startsWith("smtp:"),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      await transport.sendMail({
        // As objects: a string would be parsed, and could name more than one.
        from: { name: "Gristmill", address: from },
        to: { name: "", address: to },
        envelope: { from, to: [to] },
        subject: oneLine(subject),
        text,
        headers: { "auto-submitted": "auto-generated" },
        ...(id === undefined ? {} : { messageId: `<${id}@${from.split("@").at(-1)}>` }),
        signal: AbortSignal.any([signal, timeout]),
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new AppError("mail.failed", `The mail server did not take the letter: ${reasonOf(cause)}.`, { cause });
    } finally {
      transport.close();
    }
  };
}

/** @param sendMail undefined: the operator has named no mail server. */
export function mailSender(sendMail: SendMail | undefined): Send {
  return async ({ recipient, messageId, body }, signal) => {
    if (sendMail === undefined)
      return { kind: "refused", status: null, error: "this server sends no mail: GRISTMILL_SMTP_URL", isFinal: true };
    const { subject, text } = JSON.parse(body) as { subject: string; text: string };
    try {
      await sendMail({ to: recipient, subject, text, id: messageId }, signal);
      return { kind: "delivered", status: null };
    } catch (error) {
      if (signal.aborted) return { kind: "interrupted" };
      if (!(error instanceof AppError)) throw error;
      const code = responseCode(error.cause);
      // 5yz: the server will not take it later either.
      return {
        kind: "refused",
        status: code ?? null,
        error: error.message,
        isFinal: code !== undefined && code >= 550,
      };
    }
  };
}

/** Control characters, line ends of all kinds, and marks that turn the reading direction become spaces. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").slice(0, 200);

const responseCode = (cause: unknown): number | undefined =>
  cause instanceof Error && "responseCode" in cause && typeof cause.responseCode === "number"
    ? cause.responseCode
    : undefined;

/** The code of the library ("ECONNECTION", "EAUTH") and of the server: neither holds the password. */
function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const answer = responseCode(cause);
  return answer === undefined ? code : `${code} ${answer}`;
}
