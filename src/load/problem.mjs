/** A fault with a message that says what to do; shown without a stack trace. */
export class Problem extends Error {}
