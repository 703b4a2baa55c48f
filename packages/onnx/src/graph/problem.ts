/** @file What a checker says. */

/** One fault of a graph. */
export interface Problem {
  /** The node, value or graph at fault; inside a sub-graph after the names of the nodes around it. */
  readonly where: string;
  readonly message: string;
}
