/** What the library needs of the machine it runs on. By default that is any, a browser's page too; Node's own is backend/node-host.ts. */
export interface Host {
  /** Bytes that can still be taken; `Infinity` where nobody knows. */
  freeMemory(): number;
  /** Lets what waits (messages, drawing) have its turn. */
  breathe(): Promise<void>;
  /** Calls `stop` when the user interrupts. @returns what ends that */
  onInterrupt(stop: () => void): () => void;
  /** Begins to say how far something of this name is; what it gives is told how much is done. */
  progress(label: string): (done: number, total: number) => void;
  /** False: `forward` computes everything and takes nothing from a clean run; to compare. */
  readonly plan: boolean;
}

const ANY: Host = {
  freeMemory: () => Number.POSITIVE_INFINITY,
  breathe: () => new Promise((resolve) => setTimeout(resolve)),
  onInterrupt: () => () => {},
  progress: () => () => {},
  plan: true,
};

let current = ANY;

/** The host from now on. */
export function useHost(own: Host): void {
  current = own;
}

/** The host at this moment. */
export const host = (): Host => current;
