/** @file The wire messages of ONNX that this package reads and writes, by the field numbers of onnx.proto (IR version 10). */
import protobuf from "protobufjs/light.js";

/** A field of a message: its number, its type (a message, or a scalar of protobuf), and whether it repeats. */
export type Field = { readonly id: number; readonly type: string; readonly rule?: "repeated" };
const one = (id: number, type: string): Field => ({ id, type });
const list = (id: number, type: string): Field => ({ id, type, rule: "repeated" });

/** Fields of each message. */
export const messages: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  ModelProto: {
    irVersion: one(1, "int64"),
    producerName: one(2, "string"),
    producerVersion: one(3, "string"),
    domain: one(4, "string"),
    modelVersion: one(5, "int64"),
    docString: one(6, "string"),
    graph: one(7, "GraphProto"),
    opsetImport: list(8, "OperatorSetIdProto"),
    metadataProps: list(14, "StringStringEntryProto"),
    functions: list(25, "bytes"),
  },
  OperatorSetIdProto: { domain: one(1, "string"), version: one(2, "int64") },
  StringStringEntryProto: { key: one(1, "string"), value: one(2, "string") },
  GraphProto: {
    node: list(1, "NodeProto"),
    name: one(2, "string"),
    initializer: list(5, "TensorProto"),
    docString: one(10, "string"),
    input: list(11, "ValueInfoProto"),
    output: list(12, "ValueInfoProto"),
    valueInfo: list(13, "ValueInfoProto"),
    sparseInitializer: list(15, "bytes"),
  },
  NodeProto: {
    input: list(1, "string"),
    output: list(2, "string"),
    name: one(3, "string"),
    opType: one(4, "string"),
    attribute: list(5, "AttributeProto"),
    docString: one(6, "string"),
    domain: one(7, "string"),
    overload: one(8, "string"),
  },
  AttributeProto: {
    name: one(1, "string"),
    f: one(2, "float"),
    i: one(3, "int64"),
    s: one(4, "bytes"),
    t: one(5, "TensorProto"),
    g: one(6, "GraphProto"),
    floats: list(7, "float"),
    ints: list(8, "int64"),
    strings: list(9, "bytes"),
    type: one(20, "int32"),
    refAttrName: one(21, "string"),
  },
  TensorProto: {
    dims: list(1, "int64"),
    dataType: one(2, "int32"),
    segment: one(3, "bytes"),
    floatData: list(4, "float"),
    int32Data: list(5, "int32"),
    stringData: list(6, "bytes"),
    int64Data: list(7, "int64"),
    name: one(8, "string"),
    rawData: one(9, "bytes"),
    doubleData: list(10, "double"),
    uint64Data: list(11, "uint64"),
    externalData: list(13, "StringStringEntryProto"),
    dataLocation: one(14, "int32"),
  },
  ValueInfoProto: { name: one(1, "string"), type: one(2, "TypeProto") },
  TypeProto: {
    tensorType: one(1, "TensorTypeProto"),
    sequenceType: one(4, "bytes"),
    mapType: one(5, "bytes"),
    sparseTensorType: one(8, "bytes"),
    optionalType: one(9, "bytes"),
  },
  TensorTypeProto: { elemType: one(1, "int32"), shape: one(2, "TensorShapeProto") },
  TensorShapeProto: { dim: list(1, "DimensionProto") },
  DimensionProto: { dimValue: one(1, "int64"), dimParam: one(2, "string") },
};

/**
 * The message types. Edition 2023 tells a field that is 0 or empty from one that is not there (a size 0 from an unknown
 * size), as ONNX's proto2 does, and packs repeated numbers.
 */
const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(messages).map(([name, fields]) => [name, { edition: "2023", fields: { ...fields } }]),
  ),
});

/** The message type of a whole model file. */
export const modelMessage: protobuf.Type = root.lookupType("ModelProto");

/** The message type of a file with one tensor. */
export const tensorMessage: protobuf.Type = root.lookupType("TensorProto");

/** `AttributeProto.AttributeType` of each kind of attribute. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;
