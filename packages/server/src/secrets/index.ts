/** @file secrets: encryption at rest, and its key. It knows no feature. Rules: README.md. */
export { type KeyFile, keyOf } from "./key-file.ts";
export { createSecretBox, type SecretBox } from "./secret-box.ts";
export { homeSecretKey, secretKeyFile } from "./secret-key.ts";
