/** @file Inputs are compared with the signature before they queue, so that a bad request never spoils a batch. */
import { elementCount, formatShape, type Tensor } from "@gristmill/onnx";
import type { Signature, TensorPort } from "./engine.ts";
import { EngineInputError } from "./errors.ts";

type Named = Readonly<Record<string, Tensor>>;

/**
 * Every input given, none unknown, types and sizes as declared, one size for one name, as many elements as the sizes say.
 * @throws EngineInputError for the first that does not fit.
 */
export function checkInputs(signature: Signature, inputs: Named, outputs?: readonly string[]): void {
  for (const name of Object.keys(inputs))
    if (!signature.inputs.some((port) => port.name === name))
      throw new EngineInputError(name, `one of the inputs ${namesOf(signature.inputs)}`, "an input of another name");
  for (const name of outputs ?? [])
    if (!signature.outputs.some((port) => port.name === name))
      throw new EngineInputError(name, `one of the outputs ${namesOf(signature.outputs)}`, "an output of another name");
  const sizes = new Map<string, { readonly size: number; readonly of: string }>();
  for (const port of signature.inputs) {
    const value = Object.hasOwn(inputs, port.name) ? inputs[port.name] : undefined;
    if (value === undefined)
      throw new EngineInputError(port.name, `${port.dtype} ${formatShape(port.shape)}`, "nothing");
    checkTensor(port, value, sizes);
  }
}

function checkTensor(
  port: TensorPort,
  value: Tensor,
  sizes: Map<string, { readonly size: number; readonly of: string }>,
): void {
  if (value.dtype !== port.dtype) throw new EngineInputError(port.name, port.dtype, value.dtype);
  const fits =
    value.shape.length === port.shape.length &&
    value.shape.every((size, axis) => {
      const dim = port.shape[axis];
      return Number.isSafeInteger(size) && size >= 0 && (typeof dim === "string" || dim === size);
    });
  if (!fits) throw new EngineInputError(port.name, `shape ${formatShape(port.shape)}`, formatShape(value.shape));
  for (const [axis, dim] of port.shape.entries()) {
    if (typeof dim === "number") continue;
    const size = value.shape[axis] ?? 0;
    const before = sizes.get(dim);
    if (before === undefined) sizes.set(dim, { size, of: port.name });
    else if (before.size !== size)
      throw new EngineInputError(port.name, `${dim} = ${before.size} on axis ${axis}, as in "${before.of}"`, `${size}`);
  }
  const count = elementCount(value.shape);
  if (value.data.length !== count)
    throw new EngineInputError(port.name, `${count} elements for ${formatShape(value.shape)}`, `${value.data.length}`);
}

const namesOf = (ports: readonly TensorPort[]): string => ports.map(({ name }) => `"${name}"`).join(", ");
