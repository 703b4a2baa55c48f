/** @file One step of the database's schema. */

/** Forward only: what was released is never edited; a mistake is mended by the next one. */
export interface Migration {
  /** "0001-identity": number and feature; the order of the list decides. */
  readonly name: string;
  /** Statements of PostgreSQL, run in one transaction. */
  readonly up: string;
}
