/*
 * ONNX models of one operator. The format is a protobuf; what one operator needs of it (field numbers as in onnx.proto, numbers and
 * lengths below 2¹⁴) is so little that writing it by hand takes less than a library would.
 */

/** One operator on float32 tensors of any shape. Its result is named "Y". */
export interface OnnxOperator {
  readonly type: string;
  /** "" for ONNX's own operators, "com.microsoft" for those that only onnxruntime has. */
  readonly domain: "" | "com.microsoft";
  readonly inputs: readonly string[];
  /** Integer attributes. */
  readonly attributes?: Readonly<Record<string, number>>;
}

const OUTPUT = "Y";
const [IR_VERSION, OPSET, MICROSOFT_OPSET] = [8, 17, 1];
const [FLOAT_TENSOR, INT_ATTRIBUTE] = [1, 2];

const varint = (n: number): number[] => (n < 128 ? [n] : [(n % 128) + 128, n >> 7]);
const int = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
const message = (field: number, ...parts: number[][]): number[] => {
  const content = parts.flat();
  return [...varint(field * 8 + 2), ...varint(content.length), ...content];
};
const text = (field: number, value: string): number[] => message(field, [...Buffer.from(value)]);

const attribute = ([name, value]: [string, number]) => message(5, text(1, name), int(3, value), int(20, INT_ATTRIBUTE));
const tensor = (field: number, name: string) =>
  message(field, text(1, name), message(2, message(1, int(1, FLOAT_TENSOR))));
const opset = (domain: string, version: number) => message(8, text(1, domain), int(2, version));

/** The bytes of a model that applies the operator to its inputs, about 150 of them. */
export function onnxModel({ type, domain, inputs, attributes = {} }: OnnxOperator): Uint8Array {
  const node = [
    ...inputs.map((name) => text(1, name)),
    text(2, OUTPUT),
    text(4, type),
    ...Object.entries(attributes).map(attribute),
    text(7, domain),
  ];
  const graph = [message(1, ...node), text(2, type), ...inputs.map((name) => tensor(11, name)), tensor(12, OUTPUT)];
  const model = [int(1, IR_VERSION), message(7, ...graph), opset("", OPSET), opset("com.microsoft", MICROSOFT_OPSET)];
  return Uint8Array.from(model.flat());
}
