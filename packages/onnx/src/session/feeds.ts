/** @file Tensors are checked before they reach native code, so that a mistake is told by the name of the tensor. */
import { DtypeError, SessionError, ShapeError } from "../errors.ts";
import { elementCount, formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Port } from "./runtime.ts";

type Named = Readonly<Record<string, Tensor>>;

/**
 * Checks the inputs of a run: every name given, none unknown, types and sizes as declared, one size for one name.
 * @throws SessionError, DtypeError, ShapeError naming the session and the tensor.
 */
export function checkFeeds(session: string, ports: readonly Port[], feeds: Named): void {
  checkNames(session, "input", ports, Object.keys(feeds));
  const sizes = new Map<string, { readonly size: number; readonly from: string }>();
  for (const port of ports) {
    const value = Object.hasOwn(feeds, port.name) ? feeds[port.name] : undefined;
    if (value === undefined)
      throw new SessionError(
        `${session}: input "${port.name}"`,
        `expected ${describe(port)}, received nothing; feed it`,
      );
    checkTensor(`${session}: input "${port.name}"`, port, value, sizes);
  }
}

/** Checks which outputs are wanted, and the tensors to write them into. */
export function checkFetches(session: string, ports: readonly Port[], wanted: readonly string[], into: Named): void {
  checkNames(session, "output", ports, [...wanted, ...Object.keys(into)]);
  for (const [name, value] of Object.entries(into)) {
    const port = ports.find((known) => known.name === name);
    if (!wanted.includes(name))
      throw new SessionError(`${session}: output "${name}"`, "into has a tensor for an output that outputs leaves out");
    if (port !== undefined) checkTensor(`${session}: output "${name}"`, port, value, new Map());
  }
}

function checkNames(session: string, what: string, ports: readonly Port[], names: readonly string[]): void {
  for (const name of names)
    if (!ports.some((port) => port.name === name)) {
      const known = ports.map((port) => `"${port.name}"`).join(", ") || "none";
      throw new SessionError(`${session}: ${what} "${name}"`, `the model has no such ${what}; it has ${known}`);
    }
}

function checkTensor(
  where: string,
  port: Port,
  value: Tensor,
  sizes: Map<string, { readonly size: number; readonly from: string }>,
): void {
  if (value.dtype !== port.dtype) throw new DtypeError(where, `expected ${port.dtype}, received ${value.dtype}`);
  const mismatch = new ShapeError(
    where,
    `expected shape ${formatShape(port.shape)}, received ${formatShape(value.shape)}`,
  );
  if (value.shape.length !== port.shape.length) throw mismatch;
  for (const [axis, dim] of port.shape.entries()) {
    const size = value.shape[axis] ?? 0;
    if (!Number.isSafeInteger(size) || size < 0) throw mismatch;
    if (typeof dim === "number") {
      if (dim !== size) throw mismatch;
      continue;
    }
    const before = sizes.get(dim);
    if (before !== undefined && before.size !== size)
      throw new ShapeError(
        where,
        `expected ${dim} = ${before.size} on axis ${axis}, as ${before.from} has, received ${size}`,
      );
    sizes.set(dim, { size, from: `"${port.name}"` });
  }
  const count = elementCount(value.shape);
  if (value.data.length !== count)
    throw new ShapeError(
      where,
      `expected ${count} elements for ${formatShape(value.shape)}, received ${value.data.length}`,
    );
}

const describe = (port: Port): string => `${port.dtype} ${formatShape(port.shape)}`;
