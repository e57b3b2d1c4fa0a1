/** A bigger model from the hub: what it costs is said first, and nothing is asked before a reader presses. */
import { useEffect, useRef, useState } from "preact/hooks";
import { canFetch, isKept, remove, take } from "../browser/model-store";
import { painted } from "../painted";
import type { Fetchable } from "../tables";

interface HubModelProps {
  readonly model: Fetchable;
  readonly isReady: boolean;
  /** Throws an Error that says what is wrong with the files. */
  readonly onFiles: (name: string, files: ReadonlyMap<string, Uint8Array>) => Promise<void>;
}

export function HubModelView({ model, isReady, onFiles }: HubModelProps) {
  const { name, host, megabytes } = model;
  const [kept, setKept] = useState(false);
  const [bytes, setBytes] = useState<number | undefined>();
  const [said, say] = useState("");
  const stop = useRef<AbortController | undefined>(undefined);
  const look = async () => setKept(canFetch() && (await isKept(model)));
  useEffect(() => {
    look();
  }, [model]);
  const load = async () => {
    stop.current = new AbortController();
    let done = 0;
    setBytes(0);
    say("");
    try {
      const { signal } = stop.current;
      const report = (more: number) => {
        done += more;
        setBytes(done);
      };
      const { files, notKept } = await take(model, { signal, report });
      say("Working it out …");
      await painted(); // the next step leaves the browser no turn
      await onFiles(name, files);
      say(notKept ? `It could not be kept (${notKept}): next time it is fetched anew.` : "");
    } catch (error) {
      say(
        stop.current.signal.aborted ? "Stopped. Nothing was kept." : `It was not loaded: ${(error as Error).message}.`,
      );
    }
    setBytes(undefined);
    await look();
  };
  return (
    <div id="hub-model">
      <p>
        {kept
          ? `${name} is in this browser's cache (${megabytes} MB): it is loaded from there, and nobody is asked.`
          : `Or let the page fetch ${name} from ${host}: ${megabytes} MB (weights and vocabulary). Nothing is asked for before you press. Afterwards it is kept in this browser's cache, for when there is no network, until you remove it here or the browser needs the room.`}
        {!canFetch() && " This works only at a trusted address (https)."}
      </p>
      <div class="row">
        <button type="button" disabled={!isReady || !canFetch() || bytes !== undefined} onClick={load}>
          {name} from {kept ? "the cache" : "the hub"}
        </button>
        {kept && (
          <button
            type="button"
            disabled={bytes !== undefined}
            onClick={async () => {
              await remove(model);
              say("Removed.");
              await look();
            }}
          >
            Remove it from the cache
          </button>
        )}
        {bytes !== undefined && (
          <>
            <progress aria-label={`${name}: how much is there`} value={bytes / 1e6} max={megabytes} />
            <span id="hub-progress">
              {(bytes / 1e6).toFixed(1)} of {megabytes} MB
            </span>
            <button type="button" onClick={() => stop.current?.abort()}>
              Stop
            </button>
          </>
        )}
        <span role="status" id="hub-said">
          {said}
        </span>
      </div>
    </div>
  );
}
