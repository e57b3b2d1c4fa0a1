/*
 * ONNX models of one operator. The format is a protobuf; what one operator needs of it (field numbers as in onnx.proto) is so little
 * that writing it by hand takes less than a library would.
 */

/** One operator on float32 tensors of any shape. Its result is named "Y". */
export interface OnnxOperator {
  readonly type: string;
  /** "" for ONNX's own operators, "com.microsoft" for those that only onnxruntime has. */
  readonly domain: "" | "com.microsoft";
  /** "" for one that is left out. */
  readonly inputs: readonly string[];
  /** Integer attributes. */
  readonly attributes?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
}

/** An input's values, which the model holds itself. */
export interface OnnxConstant {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const OUTPUT = "Y";
const [IR_VERSION, OPSET, MICROSOFT_OPSET] = [8, 17, 1];
const [FLOAT_TENSOR, FLOAT_ATTRIBUTE, INT_ATTRIBUTE] = [1, 1, 2];

/** Bytes in pieces, so that a constant's values are copied once. */
type Bytes = readonly Uint8Array[];

function varint(n: number): Uint8Array {
  const bytes: number[] = [];
  let rest = n;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}

const int = (field: number, value: number): Bytes => [varint(field * 8), varint(value)];
const float = (field: number, value: number): Bytes => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return [varint(field * 8 + 5), bytes];
};
const message = (field: number, ...parts: Bytes[]): Bytes => {
  const content = parts.flat();
  const length = content.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return [varint(field * 8 + 2), varint(length), ...content];
};
const text = (field: number, value: string): Bytes => message(field, [Buffer.from(value)]);

const attribute = ([name, value]: [string, number]) => message(5, text(1, name), int(3, value), int(20, INT_ATTRIBUTE));
const floatAttribute = ([name, value]: [string, number]) =>
  message(5, text(1, name), float(2, value), int(20, FLOAT_ATTRIBUTE));
const tensor = (field: number, name: string) =>
  message(field, text(1, name), message(2, message(1, int(1, FLOAT_TENSOR))));
const opset = (domain: string, version: number) => message(8, text(1, domain), int(2, version));

function constant([name, { shape, values }]: [string, OnnxConstant]): Bytes {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return message(5, ...shape.map((size) => int(1, size)), int(2, FLOAT_TENSOR), text(8, name), message(9, [raw]));
}

/** The bytes of a model that applies the operator to its inputs, those among `constants` being part of it. */
export function onnxModel(
  { type, domain, inputs, attributes = {}, floats = {} }: OnnxOperator,
  constants: Readonly<Record<string, OnnxConstant>> = {},
): Uint8Array {
  const node = [
    ...inputs.map((name) => text(1, name)),
    text(2, OUTPUT),
    text(4, type),
    ...Object.entries(attributes).map(attribute),
    ...Object.entries(floats).map(floatAttribute),
    text(7, domain),
  ];
  const given = inputs.filter((name) => name && !(name in constants)).map((name) => tensor(11, name));
  const graph = [
    message(1, ...node),
    text(2, type),
    ...Object.entries(constants).map(constant),
    ...given,
    tensor(12, OUTPUT),
  ];
  const model = [int(1, IR_VERSION), message(7, ...graph), opset("", OPSET), opset("com.microsoft", MICROSOFT_OPSET)];
  return Buffer.concat(model.flat());
}
