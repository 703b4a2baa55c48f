/** @file A form with files as one blob: read from disk while it is sent, and the same bytes at every attempt. */

/** A field of a form; a blob is sent as a file of the field's name. */
export type FormParts = Readonly<Record<string, string | Blob>>;

/**
 * RFC 7578. A FormData would get another boundary at each attempt, and the server would take a retry for another request.
 * @param boundary of lower-case letters, digits and hyphens: a blob's type has no others. Must not occur in the parts.
 */
export function multipart(parts: FormParts, boundary: string): Blob {
  const pieces = Object.entries(parts).flatMap(([name, part]) => {
    const file =
      typeof part === "string" ? "" : `; filename="${quoted(name)}"\r\ncontent-type: application/octet-stream`;
    return [`--${boundary}\r\ncontent-disposition: form-data; name="${quoted(name)}"${file}\r\n\r\n`, part, "\r\n"];
  });
  return new Blob([...pieces, `--${boundary}--\r\n`], { type: `multipart/form-data; boundary=${boundary}` });
}

/** As browsers write names in quotes: https://html.spec.whatwg.org/#multipart-form-data. */
const quoted = (name: string): string => name.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
