/** A model of the reader's own, from files on this machine. */
import { useState } from "preact/hooks";
import { VOCABULARY_FILES } from "../../src/load/vocabulary";
import { painted } from "../painted";
import type { Fetchable } from "../tables";
import { HubModelView } from "./hub-model";

const WANTED = ["config.json", "model.safetensors", ...VOCABULARY_FILES];

interface OwnModelProps {
  readonly name: string;
  /** Throws an Error that says what is wrong with the files. */
  readonly onFiles: (name: string, files: ReadonlyMap<string, Uint8Array>) => Promise<void>;
  readonly onFetched: OwnModelProps["onFiles"];
  readonly onBack: (() => void) | undefined;
  readonly isReady: boolean;
  /** What the page can fetch. */
  readonly bigger: Fetchable;
}

/** Most bytes of a file that a page can hold at once. */
const MOST = 1.9e9;

export function OwnModel({ name, onFiles, onFetched, onBack, isReady, bigger }: OwnModelProps) {
  const [said, say] = useState("");
  const [done, setDone] = useState<number | undefined>();
  const [isOver, setOver] = useState(false);
  const read = async (list: FileList | null | undefined) => {
    const files = [...(list ?? [])].filter((file) => WANTED.includes(file.name));
    const total = files.reduce((sum, { size }) => sum + size, 0);
    try {
      if (files.length === 0) throw new Error(`none of these files is one of ${WANTED.slice(0, 3).join(", ")}`);
      if (total > MOST) throw new Error(`${(total / 1e9).toFixed(1)} GB are more than a page can hold`);
      const read = new Map<string, Uint8Array>();
      let bytes = 0;
      for (const file of files) {
        const whole = new Uint8Array(file.size);
        const reader = file.stream().getReader();
        for (let at = 0, part = await reader.read(); !part.done; part = await reader.read()) {
          whole.set(part.value, at);
          at += part.value.length;
          bytes += part.value.length;
          setDone(bytes / total);
        }
        read.set(file.name, whole);
      }
      say("Working it out …");
      const folder = files[0].webkitRelativePath.split("/").at(-2);
      await painted(); // the next step leaves the browser no turn
      await onFiles(folder || "own model", read);
      say("");
    } catch (error) {
      say(`It was not loaded: ${(error as Error).message}`);
    }
    setDone(undefined);
  };
  return (
    <section
      class={`card${isOver ? " over" : ""}`}
      aria-labelledby="own-title"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        read(event.dataTransfer?.files);
      }}
    >
      <h2 id="own-title">A bigger model</h2>
      <p>
        Here runs <b>{name}</b>. Any GPT-2 in Hugging Face's layout can take its place: drop its{" "}
        <code>config.json</code>, <code>vocab.json</code> and <code>model.safetensors</code> here. GPT-2 Small has 549
        MB and takes about 2.2 GB of memory; a patch takes seconds. These files are read where they are: nothing is sent
        or kept.
      </p>
      <div class="row">
        <label class="file">
          Choose the files{" "}
          <input
            type="file"
            id="own-files"
            multiple
            disabled={!isReady}
            onChange={(event) => read(event.currentTarget.files)}
          />
        </label>
        {onBack && (
          <button type="button" id="own-back" onClick={onBack}>
            Back to the embedded model
          </button>
        )}
        {done !== undefined && <progress aria-label="Files read" value={done} max={1} />}
        <span role="status">{said}</span>
      </div>
      <HubModelView model={bigger} isReady={isReady} onFiles={onFetched} />
    </section>
  );
}
