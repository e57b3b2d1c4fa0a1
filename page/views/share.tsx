/** Taking it along: a link, the code, a notebook, pictures and numbers. */
import { useState } from "preact/hooks";
import { codeOf, notebookOf } from "../code";
import type { Chart } from "../figures";
import { csvOf, download, pngOf, svgOf } from "../files";
import type { State } from "../state";

async function copy(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    return "Select it and copy it by hand: this browser does not let pages copy";
  }
}

export function CodeView({ state, link, isValid }: { state: State; link: string; isValid: boolean }) {
  const [said, say] = useState("");
  const code = codeOf(state);
  return (
    <section class="card" aria-labelledby="code-title">
      <h2 id="code-title">The same in code</h2>
      <p>
        What you have done is this value of the library. Paste it into a notebook of the project: it gives these
        letters.
      </p>
      <textarea
        id="code"
        readOnly
        spellcheck={false}
        rows={code.split("\n").length}
        aria-label="Code of what you have done"
        value={code}
      />
      <div class="row">
        <button type="button" onClick={async () => say(await copy(code))}>
          Copy the code
        </button>
        <button
          type="button"
          disabled={!isValid}
          onClick={() => download("from-the-page.ipynb", notebookOf(state, link), "application/x-ipynb+json")}
        >
          Save as notebook
        </button>
        <label class="grow">
          Link to all of this{" "}
          <input id="link" readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
        </label>
        <button type="button" onClick={async () => say(await copy(link))}>
          Copy the link
        </button>
        <span role="status">{said}</span>
      </div>
    </section>
  );
}

export function Downloads({ chart }: { chart: Chart }) {
  const [said, say] = useState("");
  const save = (kind: "svg" | "png" | "csv") => async () => {
    try {
      if (kind === "csv") download(`${chart.name}.csv`, await csvOf(chart), "text/csv");
      else if (kind === "svg") download(`${chart.name}.svg`, svgOf(chart), "image/svg+xml");
      else download(`${chart.name}.png`, await pngOf(svgOf(chart)));
      say("");
    } catch (error) {
      say((error as Error).message);
    }
  };
  return (
    <div class="downloads">
      {(["svg", "png", "csv"] as const).map((kind) => (
        <button
          type="button"
          class="small"
          key={kind}
          aria-label={`Save “${chart.title}” as ${kind.toUpperCase()}`}
          onClick={save(kind)}
        >
          {kind.toUpperCase()}
        </button>
      ))}
      <span role="status">{said}</span>
    </div>
  );
}
