/** @file secrets: encryption at rest. It knows no feature. */
export { createSecretBox, type SecretBox } from "./secret-box.ts";
