/** @file What a picture of a network is made of. */
import { NnError } from "../../errors.ts";

/** A box. */
export interface PictureNode {
  readonly id: string;
  /** The name of a layer. */
  readonly title: string;
  /** Its kind; boxes of one kind share a colour. */
  readonly subtitle?: string;
  /** Shapes, parameters ...: name and value, or a text alone. */
  readonly lines?: readonly (string | readonly [name: string, value: string])[];
}

/** An arrow. */
export interface PictureEdge {
  readonly from: string;
  readonly to: string;
}

/** A network: boxes and arrows without a circle. */
export interface PictureGraph {
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
}

/** Edges by the places of their boxes; the same arrow said twice is drawn once. */
export type IndexedEdge = readonly [from: number, to: number];

/** @throws NnError for an id said twice or unknown. */
export function indexedEdges({ nodes, edges }: PictureGraph): IndexedEdge[] {
  const places = new Map<string, number>();
  for (const [i, { id }] of nodes.entries()) {
    if (places.has(id)) throw new NnError(`graphPicture: expected each id once, received ${JSON.stringify(id)} twice`);
    places.set(id, i);
  }
  const find = (id: string): number => {
    const at = places.get(id);
    if (at === undefined) throw new NnError(`graphPicture: an edge names ${JSON.stringify(id)}, which is no node`);
    return at;
  };
  const seen = new Map(edges.map(({ from, to }) => [`${find(from)} ${find(to)}`, [find(from), find(to)] as const]));
  return [...seen.values()];
}
