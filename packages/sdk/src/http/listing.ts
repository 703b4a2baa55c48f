/** @file Lists of the API: one page by `page()`, all of it by `for await`. */
import type { Page } from "@gristmill/contract";
import type { CallOptions, Query, Transport } from "./transport.ts";

/** Where in a list to begin, in which order, and how many at a time. */
export interface ListOptions extends CallOptions {
  /** Items a page, 1 to 100; default 20 for `page()`, 100 when iterating. */
  readonly limit?: number;
  /** Id of the item before the first one wanted. */
  readonly after?: string;
  readonly order?: "asc" | "desc";
}

/** A list that is fetched when it is read: page after page while iterating. */
export class Listing<T extends { readonly id: string }> implements AsyncIterable<T> {
  readonly #transport: Transport;
  readonly #path: string;
  readonly #options: ListOptions;
  readonly #filter: Query;

  constructor(transport: Transport, path: string, options: ListOptions = {}, filter: Query = {}) {
    this.#transport = transport;
    this.#path = path;
    this.#options = options;
    this.#filter = filter;
  }

  /** The first page alone. */
  page(): Promise<Page<T>> {
    return this.#page(this.#options.after, this.#options.limit);
  }

  /** Every item. @param most stops after so many. */
  async all(most = Number.POSITIVE_INFINITY): Promise<T[]> {
    const items: T[] = [];
    if (most <= 0) return items;
    for await (const item of this) if (items.push(item) >= most) break;
    return items;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    let after = this.#options.after;
    for (;;) {
      const page = await this.#page(after, this.#options.limit ?? 100);
      yield* page.data;
      // A page that says "more" but names no last item would be fetched for ever.
      if (!page.has_more || page.last_id === null || page.last_id === after) return;
      after = page.last_id;
    }
  }

  #page(after: string | undefined, limit: number | undefined): Promise<Page<T>> {
    return this.#transport.json<Page<T>>({
      method: "GET",
      path: this.#path,
      query: { ...this.#filter, limit, after, order: this.#options.order },
      signal: this.#options.signal,
    });
  }
}
