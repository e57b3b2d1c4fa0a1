import type { OnnxSession } from "./onnx-kernels";
import type { OnnxConstant, OnnxOperator } from "./onnx-model";

type NewSession = (operator: OnnxOperator, constants: Record<string, OnnxConstant>) => OnnxSession;

/**
 * Sessions that hold a weight each. A weight that is an input of its product is packed for the processor's vectors at every call, which
 * takes as long as some ten rows of the product; as a constant it is packed once, when its session is made, for the memory of a copy.
 */
export class PackedWeights {
  /** By the weight's data. "too many": it will never have a session, for the same weight is always multiplied in the same way. */
  private readonly known = new WeakMap<object, OnnxSession | "too many">();
  private count = 0;

  constructor(
    private readonly newSession: NewSession,
    private readonly most: number,
  ) {}

  /** The session in which "B" is this weight, or undefined if there are too many of them. */
  sessionOf(operator: OnnxOperator, data: object, B: OnnxConstant): OnnxSession | undefined {
    const session = this.known.get(data) ?? this.pack(operator, B);
    this.known.set(data, session);
    return session === "too many" ? undefined : session;
  }

  private pack(operator: OnnxOperator, B: OnnxConstant): OnnxSession | "too many" {
    if (this.count >= this.most) return "too many";
    const session = this.newSession(operator, { B });
    this.count++;
    return session;
  }

  /** The weight's data is gone. */
  drop(data: object): void {
    const session = this.known.get(data);
    if (!this.known.delete(data) || session === "too many") return;
    session?.dispose();
    this.count--;
  }
}
