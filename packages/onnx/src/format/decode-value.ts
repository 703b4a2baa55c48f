/** @file Attributes and declared values of a file. */
import { dtypeOfCode, refusedDtype } from "../dtype.ts";
import { OnnxFormatError } from "../errors.ts";
import type { Attribute, Attributes, Value } from "../graph/graph.ts";
import type { Inferred } from "../operators/operator.ts";
import { type Dim, isDimName, mostAxes, unknownShape } from "../shape.ts";
import { fromWireTensor, toSize } from "./decode-tensor.ts";
import type { ExternalData } from "./external-data.ts";
import { attributeTypes } from "./schema.ts";
import { toInt, toText, type WireAttribute, type WireTensorType, type WireValue } from "./wire.ts";

/** All attributes but graphs, which need to know what enters them first. */
export function fromWireAttributes(
  node: string,
  wires: readonly WireAttribute[],
  external: ExternalData | undefined,
): Attributes {
  const seen = new Set<string>();
  const plain: [string, Attribute][] = [];
  for (const wire of wires) {
    const where = `${node}: attribute ${wire.name}`;
    if (seen.has(wire.name)) throw new OnnxFormatError(where, "given twice");
    seen.add(wire.name);
    if (wire.refAttrName !== "")
      throw new OnnxFormatError(where, "references to attributes of functions are not supported");
    if (wire.type !== attributeTypes.graph) plain.push([wire.name, fromWireAttribute(where, wire, external)]);
  }
  return Object.fromEntries(plain);
}

function fromWireAttribute(where: string, wire: WireAttribute, external: ExternalData | undefined): Attribute {
  switch (wire.type) {
    case attributeTypes.float:
      return { float: wire.f };
    case attributeTypes.int:
      return toInt(where, wire.i);
    case attributeTypes.string:
      return toText(where, wire.s);
    case attributeTypes.floats:
      return { floats: [...wire.floats] };
    case attributeTypes.ints:
      return wire.ints.map((value) => toInt(where, value));
    case attributeTypes.strings:
      return wire.strings.map((text) => toText(where, text));
    case attributeTypes.tensor:
      if (wire.t === null) throw new OnnxFormatError(where, "says it is a tensor and has none");
      return { tensor: fromWireTensor(where, wire.t, external) };
    default:
      throw new OnnxFormatError(where, `attributes of type ${wire.type} are not supported`);
  }
}

const otherTypes = ["sequenceType", "mapType", "sparseTensorType", "optionalType"];

/** A declared value; what the file leaves out comes from `hint`. */
export function fromWireValue(wire: WireValue, hint: Inferred | undefined): Value {
  const where = `value "${wire.name}"`;
  const type = wire.type === null ? null : wire.type.tensorType;
  // exporters write an empty type where they know none
  if (wire.type !== null && otherTypes.some((field) => Object.hasOwn(wire.type ?? {}, field)))
    throw new OnnxFormatError(where, "expected a tensor; sequences, maps and optional values are not supported");
  const code = type === null ? 0 : type.elemType;
  const dtype = code === 0 ? (hint?.dtype ?? "float32") : dtypeOfCode(code);
  if (dtype === undefined) throw new OnnxFormatError(where, refusedDtype(code));
  return { name: wire.name, dtype, shape: fromWireShape(where, wire.name, type) ?? hint?.shape ?? unknownShape };
}

function fromWireShape(where: string, name: string, type: WireTensorType | null): Dim[] | undefined {
  if (type === null || type.shape === null) return undefined;
  const { dim: dims } = type.shape;
  if (dims.length > mostAxes)
    throw new OnnxFormatError(where, `expected at most ${mostAxes} axes, received ${dims.length}`);
  return dims.map((dim, axis) => {
    // -1 is no size of ONNX, but what PaddlePaddle's exporter writes for one that only the run tells
    if (Object.hasOwn(dim, "dimValue") && toInt(where, dim.dimValue) !== -1) return toSize(where, dim.dimValue);
    return isDimName(dim.dimParam) ? dim.dimParam : `${name}.axis${axis}`;
  });
}
