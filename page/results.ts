/** What is computed of the state at hand, the letters first; results of a state that has gone are dropped. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AttentionRow } from "../src/experiments/attention";
import { interrupt } from "./browser/host";
import type { Engine, Letters, Maps, Opening } from "./engine";
import { painted } from "./painted";
import type { State } from "./state";

export interface Results {
  readonly letters?: Letters;
  readonly maps?: Maps;
  readonly attention?: readonly AttentionRow[];
  /** Of which state the letters are. */
  readonly of?: State;
  /** The state of which all is computed, by the model that is loaded. */
  readonly settled?: State;
  /** Milliseconds that the letters took. */
  readonly took?: number;
  readonly error?: string;
}

/** What the maps depend on. */
const mapKey = ({ words, others, direction, activation }: State) =>
  [...words, ...others, direction, activation].join(" ");

/** Of which state the maps are that are shown, and by which model: not yet known for those that came with the page. */
interface Shown {
  readonly engine?: Engine;
  readonly key: string;
}
const NO_MAPS: Shown = { key: "" };

/** Ends what is being computed, does something, and goes on with what is wanted then. Throws what that throws. */
type Afterwards = <T>(work: () => T | Promise<T>) => Promise<T>;

/**
 * @param opening what is shown until there is a model, if it is of this state
 * @param backend another one computes anew
 * @returns the results, and what does something while nothing is being computed
 */
export function useResults(
  engine: Engine | undefined,
  state: State,
  opening: Opening | undefined,
  backend: string | undefined,
): [Results, Afterwards] {
  const [results, setResults] = useState<Results>(opening ? { ...opening, of: state } : {});
  const maps = useRef<Shown>(opening ? { key: mapKey(state) } : NO_MAPS);
  const queue = useRef<Promise<void>>(Promise.resolve());
  useEffect(() => {
    if (!engine) return;
    let isOld = false;
    const put = (some: Results) => setResults((before) => ({ ...before, ...some }));
    const compute = async () => {
      if (isOld) return;
      const { current } = maps;
      const isOther = current.key !== mapKey(state) || (current.engine !== undefined && current.engine !== engine);
      try {
        const start = performance.now();
        const letters = await engine.letters(state);
        if (isOld) return;
        const took = performance.now() - start;
        if (isOther) maps.current = NO_MAPS;
        put({ letters, of: state, took, error: undefined, ...(isOther && { maps: undefined }) });
        await painted();
        if (isOld) return;
        const attention = await engine.attention(state);
        if (isOld) return;
        put({ attention });
        if (isOther || current.engine !== engine) {
          const found = await engine.maps(state);
          if (isOld) return;
          maps.current = { engine, key: mapKey(state) };
          put({ maps: found });
        }
        put({ settled: state });
      } catch (error) {
        if (isOld) return;
        if ((error as Error).name === "SweepInterrupted") return later(); // it made way for something
        maps.current = NO_MAPS;
        setResults({ error: (error as Error).message, of: state });
      }
    };
    const later = () => {
      queue.current = queue.current.then(compute);
    };
    later();
    return () => {
      isOld = true;
      interrupt();
    };
  }, [engine, state, backend]);
  const afterwards: Afterwards = (work) => {
    const done = queue.current.then(work);
    queue.current = done.then(
      () => {},
      () => {},
    );
    interrupt();
    return done;
  };
  return [results, afterwards];
}
