import { setImmediate as breathe, setTimeout as sleep } from "node:timers/promises";
import { HubError } from "./problem";
import type { HubSettings } from "./settings";

/** What all steps of one download share. */
export interface Session {
  readonly settings: HubSettings;
  /** Ends every request: after an interrupt (Ctrl-C, or the kernel's stop button), and at the end of the work. */
  readonly signal: AbortSignal;
  /** Throws if the lock under which this writes is no longer ours. */
  readonly checkLock?: () => void;
}

/** Does `work` so that an interrupt stops it. Throws HubError if there was one. */
export async function inSession<T>(settings: HubSettings, work: (session: Session) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () =>
    controller.abort(new HubError("interrupted; what has arrived is kept, and the next run goes on from there"));
  await breathe(); // a listener added inside the cell's own turn would make the next interrupt end the kernel
  process.on("SIGINT", stop);
  try {
    return await work({ settings, signal: controller.signal });
  } finally {
    process.off("SIGINT", stop);
    controller.abort(); // an answer that was not read to its end would keep its connection
  }
}

/**
 * Tries until it works, with a growing pause or the one that the other side asks for. Gives up after
 * `settings.attempts` faults in a row without progress, and at once on a fault that won't pass.
 * @param reached how far it has got, in any unit
 */
export async function retrying<T>(
  { settings, signal }: Session,
  attempt: () => Promise<T>,
  reached = () => 0,
): Promise<T> {
  let furthest = reached();
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HubError) || !error.transient) throw error;
      // what was lost and fetched again is no progress: a server could go on so for ever
      if (reached() > furthest) failures = 1;
      furthest = Math.max(furthest, reached());
      if (failures >= settings.attempts)
        throw new HubError(`${error.message} (tried ${settings.attempts} times)`, { transient: true, cause: error });
      const wait = Math.max(error.wait, settings.delay * 2 ** (failures - 1));
      settings.say(`${error.message}; trying again in ${Math.ceil(wait / 1000)} s`);
      await sleep(wait, undefined, { signal }).catch(() => {
        throw signal.reason;
      });
    }
  }
}

/** How to wait for another process that is at it: as long as it lives, or until an interrupt. */
export const waiting = ({ settings: { say }, signal }: Session, doing: string) => ({
  say,
  signal,
  doing,
  patience: Number.POSITIVE_INFINITY,
});
