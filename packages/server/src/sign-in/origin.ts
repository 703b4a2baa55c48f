/** @file Which pages are ours, and where a browser may be sent. Pure. */

/**
 * True for a page of this server: at the operator's public URL, or at the Host that the request itself names (which was checked
 * before). At the public URL's host its scheme must be the same: a page in the clear may be anybody's.
 */
export function isOurOrigin(origin: string, host: string | undefined, publicUrl: string | undefined): boolean {
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  if (publicUrl !== undefined && url.host === new URL(publicUrl).host) return url.origin === publicUrl;
  return host !== undefined && url.host === host.toLowerCase();
}

/**
 * A path of this server, as a browser would follow it: "/runs?x=1#top". undefined for what leads, or might be read as leading,
 * to another server.
 */
export function ownPath(text: string): string | undefined {
  const base = "http://own.invalid";
  if (!text.startsWith("/") || !URL.canParse(text, base)) return undefined;
  const url = new URL(text, base);
  // "/.//evil.example" is a path here, and another server's address once its dots are gone.
  if (url.origin !== base || url.pathname.startsWith("//")) return undefined;
  return url.pathname + url.search + url.hash;
}
