/** What a browser's page is to the library. */
import type { Host } from "../../src/model/host";

/** Lets messages and drawing have their turn: at once, where `setTimeout` waits for 4 ms. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

const UNKNOWN = Number.POSITIVE_INFINITY;

const stops = new Set<() => void>();

/** Ends the sweeps that are running: what asked for them gets a SweepInterrupted. */
export function interrupt(): void {
  for (const stop of stops) stop();
}

/** The memory that a page may take is told to nobody; what interrupts is the page itself, when a result is no longer wanted. */
export const browserHost: Host = {
  memory: () => ({ total: UNKNOWN, available: UNKNOWN }),
  breathe,
  onInterrupt: (stop) => {
    stops.add(stop);
    return () => stops.delete(stop);
  },
  progress: () => () => {},
  plan: true,
};
