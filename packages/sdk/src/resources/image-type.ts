/** The media type of an image by its first bytes; `application/octet-stream` for what is none we know: the server says why. */
export function imageType(head: Uint8Array): string {
  const text = Array.from(head.subarray(0, 12), (byte) => String.fromCharCode(byte)).join("");
  if (text.startsWith("\x89PNG\r\n\x1A\n")) return "image/png";
  if (text.startsWith("\xFF\xD8\xFF")) return "image/jpeg";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  return "application/octet-stream";
}
