/** @file A browser on real connections: keeps each server's cookies apart and follows redirects. */
import { parseSetCookie } from "cookie";

const redirectsMost = 15;

/** Goes where it is led. */
export class WanderingBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();

  /**
   * Follows redirects for as long as they stay at these servers.
   * @returns the last answer, or the first address elsewhere, which is not called.
   */
  async go(start: string, origins: readonly string[]): Promise<{ readonly url: URL; readonly answer?: Response }> {
    let url = new URL(start);
    for (let redirects = 0; redirects <= redirectsMost; redirects++) {
      if (!origins.includes(url.origin)) return { url };
      const answer = await this.fetch(url);
      const location = answer.headers.get("location");
      if (location === null) return { url, answer };
      await answer.body?.cancel();
      url = new URL(location, url);
    }
    throw new Error(`led on and on: ${url}`);
  }

  /** One request, with the cookies of its server. */
  async fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(url);
    const jar = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, jar);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const answer = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const { name, value, maxAge } of answer.headers.getSetCookie().map((text) => parseSetCookie(text)))
      if (value === undefined || value === "" || maxAge === 0) jar.delete(name);
      else jar.set(name, value);
    return answer;
  }
}
