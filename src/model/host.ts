/** Bytes of memory. */
export interface Memory {
  /** All that the machine, or the container, has. */
  readonly total: number;
  /** What can be had without another program losing any: more than what is free, since a system keeps files in what it doesn't need. */
  readonly available: number;
}

/** What the library needs of the machine it runs on. By default that is any, a browser's page too; Node's own is backend/node-host.ts. */
export interface Host {
  /** `Infinity` where nobody knows. */
  memory(): Memory;
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
  memory: () => ({ total: Number.POSITIVE_INFINITY, available: Number.POSITIVE_INFINITY }),
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
