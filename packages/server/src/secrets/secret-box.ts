/** @file Encryption of what must be read again: credentials of others, stored answers. AES-256-GCM, a fresh nonce each. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { AppError } from "@gristmill/contract";

const version = 1;
const nonceLength = 12;
const tagLength = 16;

/** Seals and opens. */
export interface SecretBox {
  /**
   * `context` says what is sealed and for whom ("webhook whk_1"): what was sealed for one can't be opened as another's.
   * 29 bytes longer than what it holds.
   */
  seal(plain: Uint8Array, context: string): Buffer;
  /** @throws AppError `secret.unreadable` when it was sealed with another key or for another context, or is damaged. */
  open(sealed: Uint8Array, context: string): Buffer;
}

/** @param secret the operator's secret key, any text; the key of the cipher is derived from it (HKDF, RFC 5869). */
export function createSecretBox(secret: string): SecretBox {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "gristmill secret box", 32));
  return {
    seal(plain, context) {
      const nonce = randomBytes(nonceLength);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), sealed]);
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const [nonceEnd, tagEnd] = [1 + nonceLength, 1 + nonceLength + tagLength];
      try {
        if (bytes[0] !== version) throw new Error(`version ${bytes[0]}`);
        // Without the length, Node takes a tag of 4 bytes too, which can be guessed.
        const options = { authTagLength: tagLength };
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(1, nonceEnd), options);
        decipher.setAAD(Buffer.from(context));
        decipher.setAuthTag(bytes.subarray(nonceEnd, tagEnd));
        return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]);
      } catch (cause) {
        throw new AppError("secret.unreadable", `What is stored of ${context} can't be decrypted.`, { cause });
      }
    },
  };
}
