/** The whole page: one state, what is computed of it, and what changes it. */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { type HeadId, hasHead, headName, headsOutside } from "../../src/model/heads";
import { LETTERS, POSITIONS } from "../../src/prompts/acronym-task";
import { CHALLENGES, judge } from "../challenges";
import type { Engine, Letters } from "../engine";
import { attentionChart, headChart, letterChart, positionChart } from "../figures";
import { useResults } from "../results";
import {
  type Activation,
  fromHash,
  hasPatch,
  isExchange,
  isTouched,
  PAIRS,
  type Patch,
  patchName,
  type State,
  toggleHead,
  togglePatch,
  toHash,
  untouched,
  type Words,
} from "../state";
import type { Tables } from "../tables";
import { Choice } from "./choice";
import { CircuitView, circuitOf } from "./circuit";
import { Grid } from "./grid";
import { LettersView, saying, spoken } from "./letters";
import { OwnModel } from "./own-model";
import { CodeView, Downloads } from "./share";
import { WordsForm } from "./words";

type Start = typeof import("../browser/start");

/** The model: none yet, one at work, or why there is none. */
interface Loaded {
  readonly engine?: Engine;
  readonly embedded?: Engine;
  readonly backend?: string;
  readonly error?: string;
  /** Why a backend that was chosen is not used. */
  readonly trouble?: string;
}

const BACKENDS: readonly (readonly [string, string])[] = [
  ["wasm", "WebAssembly"],
  ["webgpu", "WebGPU"],
  ["webgl", "WebGL"],
];

const ACTIVATION_NAMES: readonly (readonly [Activation, string])[] = [
  ["hook_resid_pre", "residual stream"],
  ["hook_attn_out", "attention writes"],
  ["hook_mlp_out", "MLP writes"],
];

function useModel(tables: Tables): [Loaded, (some: Partial<Loaded>) => void, Start | undefined] {
  const [loaded, setLoaded] = useState<Loaded>({});
  const [start, setStart] = useState<Start>();
  useEffect(() => {
    import("../browser/start")
      .then(async (code) => {
        const { engine, backend } = await code.start(tables);
        setStart(code);
        setLoaded({ engine, embedded: engine, backend });
        Object.assign(globalThis, { acronymCircuit: { engine, backend, tensors: code.tensors } }); // for the console
      })
      .catch((error) => setLoaded({ error: (error as Error).message }));
  }, [tables]);
  const use = useCallback((some: Partial<Loaded>) => setLoaded((before) => ({ ...before, ...some })), []);
  return [loaded, use, start];
}

/** One state, its past, and the link that holds it. */
function useStates(sizes: { n_layers: number; n_heads: number }) {
  const first = useMemo(() => fromHash(location.hash, sizes), []);
  const [states, setStates] = useState<readonly State[]>([first.state]);
  const [refused, setRefused] = useState(first.refused);
  const state = states.at(-1)!;
  const change = useCallback((next: (state: State) => State) => {
    setStates((past) => [...past.slice(-100), next(past.at(-1)!)]);
    setRefused([]);
  }, []);
  /** Goes on without a past: what was done before may not fit what comes. */
  const restart = useCallback((next: (state: State) => State) => {
    setStates((past) => [next(past.at(-1)!)]);
    setRefused([]);
  }, []);
  const undo = useCallback(() => setStates((past) => (past.length > 1 ? past.slice(0, -1) : past)), []);
  useEffect(() => {
    const hash = toHash(state);
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }, [state]);
  useEffect(() => {
    const read = () => {
      const found = fromHash(location.hash, sizes);
      setStates((past) => [...past, found.state]);
      setRefused(found.refused);
    };
    const key = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLInputElement && event.target.type !== "radio";
      if (event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !isTyping) {
        event.preventDefault();
        undo();
      }
    };
    addEventListener("hashchange", read);
    addEventListener("keydown", key);
    return () => {
      removeEventListener("hashchange", read);
      removeEventListener("keydown", key);
    };
  }, [sizes, undo]);
  return { state, change, restart, undo, canUndo: states.length > 1, refused };
}

export function App({ tables }: { tables: Tables }) {
  const [loaded, useLoaded, start] = useModel(tables);
  const { engine, backend } = loaded;
  const sizes = engine?.config ?? tables.config;
  const isEmbedded = !engine || engine === loaded.embedded;
  const { state, change, restart, undo, canUndo, refused } = useStates(sizes);
  const isOpening = toHash(state) === "";
  const [look, setLook] = useState<HeadId>();
  const [chosen, setChosen] = useState(() => new URLSearchParams(location.search).get("backend"));
  const [results, afterwards] = useResults(engine, state, isOpening ? tables.opening : undefined, backend);
  useEffect(() => {
    if (engine && !isEmbedded)
      return () => {
        afterwards(() => engine.dispose());
      };
  }, [engine]);
  /** Takes another model, on the first of these backends that starts; on the one that the reader has chosen, if so. */
  const takeModel = (make: () => Engine, ...preferred: readonly string[]) =>
    afterwards(async () => {
      const started = await start!.startBackend(...(chosen ? [chosen] : preferred));
      const next = make();
      restart(untouched);
      setLook(undefined);
      useLoaded({ engine: next, backend: started });
    });
  const takeFiles =
    (...preferred: readonly string[]) =>
    (name: string, files: ReadonlyMap<string, Uint8Array>) =>
      takeModel(() => new start!.Engine(start!.modelFromBytes(name, files), tables), ...preferred);
  const chooseBackend = async (name: string) => {
    try {
      useLoaded({ backend: await afterwards(() => start!.startBackend(name)), trouble: undefined });
      engine?.forget();
      setChosen(name);
    } catch (error) {
      useLoaded({ trouble: (error as Error).message });
    }
  };
  const [mode, setMode] = useState<"patch" | "off">("patch");
  const [guess, setGuess] = useState("");
  const check = useMemo(() => engine && ((words: Words) => engine.check(words)), [engine]);
  const draw = useMemo(() => drawFrom(tables.crowd), [tables]);
  const { letters, maps, attention, error } = results;
  const ran = state.direction === "noising" ? letters?.prompt : letters?.other;
  const shownHead = look ?? defaultLook(tables, sizes);
  const charts = {
    positions: maps && ran && positionChart(maps, state.letter, ran, sizes.n_layers),
    heads: maps && headChart(maps, state.letter, sizes),
    attention: attention && ran && attentionChart(attention, shownHead, ran),
  };
  const patchAt = (layer: number, c: number): Patch => ({
    activation: state.activation,
    layer,
    position: POSITIONS[c],
  });
  const link = location.href.split("#")[0] + (toHash(state) ? `#${toHash(state)}` : "");
  return (
    <>
      <header>
        <h1>Patch a language model</h1>
        <p>
          It reads three words and writes their letters. Take something inside it from another prompt, and see which
          letters change.
        </p>
      </header>
      <p id="saying" class="spoken" role="status" aria-live="polite">
        {letters && results.of === state ? spoken(letters) : ""}
      </p>
      {refused.length > 0 && (
        <div class="card refused" role="alert" id="refused">
          <p>Parts of the link were left out:</p>
          <ul>
            {refused.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </div>
      )}
      <main
        data-ready={engine ? loaded.backend : undefined}
        data-settled={results.settled === state ? "yes" : undefined}
      >
        <div class="side">
          <WordsForm
            words={state.words}
            others={state.others}
            list={tables.words}
            check={check}
            draw={draw}
            onPredict={(words, others, own) => {
              setGuess(own);
              change((before) => ({ ...before, words, others }));
            }}
          />
          <section class="card" aria-labelledby="letters-title" id="letters">
            <h2 id="letters-title">What the model says</h2>
            {error && <p role="alert">{error}</p>}
            {loaded.error && <p role="alert">{loaded.error}</p>}
            {letters ? <LettersView letters={letters} /> : !error && <p>Loading the model …</p>}
            {letters && guess && <GuessView guess={guess} letters={letters} />}
            <Doings state={state} change={change} undo={undo} canUndo={canUndo} />
            {letters && <Downloads chart={letterChart(letters)} />}
            <p class="foot">
              {engine
                ? `Computed here, ${isEmbedded ? "by the embedded model" : `by ${sizes.name}`}, with ${loaded.backend}${results.took === undefined ? "" : `: ${results.took.toFixed(0)} ms`}.`
                : "Shown as it was computed beforehand; the model is on its way …"}
            </p>
            {backend && (
              <Choice
                legend="Computed with"
                name="backend"
                options={BACKENDS.filter(([name]) => name !== "webgpu" || "gpu" in navigator)}
                value={backend}
                onChange={chooseBackend}
              />
            )}
            {loaded.trouble && (
              <p role="alert" id="backend-trouble">
                {loaded.trouble}
              </p>
            )}
          </section>
        </div>
        <div class="wide">
          <section class="card" aria-labelledby="maps-title">
            <h2 id="maps-title">Take one thing from the other prompt</h2>
            <p>
              Click a cell. Red: by it alone the letter loses; blue: it gains; white: nothing happens. Lower is later in
              the model.
            </p>
            <div class="row">
              <Choice
                legend="Show letter"
                name="letter"
                options={LETTERS.map((letter) => [letter, `${letter}`] as const)}
                value={state.letter}
                onChange={(letter) => change((before) => ({ ...before, letter }))}
              />
              <Choice
                legend="What is taken"
                name="activation"
                options={ACTIVATION_NAMES}
                value={state.activation}
                onChange={(activation) => change((before) => ({ ...before, activation }))}
              />
              <Choice
                legend="Direction"
                name="direction"
                options={[
                  ["noising", "break yours"],
                  ["denoising", "repair the other"],
                ]}
                value={state.direction}
                onChange={(direction) => change((before) => ({ ...before, direction }))}
              />
            </div>
            <Figure title="By layer and position" chart={charts.positions}>
              {(chart) => (
                <Grid
                  chart={chart}
                  onChoose={(r, c) => change((before) => togglePatch(before, patchAt(r, c)))}
                  isChosen={(r, c) => hasPatch(state, patchAt(r, c))}
                />
              )}
            </Figure>
            <div class="two">
              <Figure title="By layer and head" chart={charts.heads}>
                {(chart) => (
                  <>
                    <Choice
                      legend="A click on a head"
                      name="mode"
                      options={[
                        ["patch", "patches it"],
                        ["off", "switches it off"],
                      ]}
                      value={mode}
                      onChange={setMode}
                    />
                    <Grid
                      chart={chart}
                      onChoose={(layer, head) =>
                        change((before) =>
                          mode === "patch"
                            ? togglePatch(before, { activation: "z", layer, head })
                            : toggleHead(before, { layer, head }),
                        )
                      }
                      onPoint={(layer, head) => setLook({ layer, head })}
                      isChosen={(layer, head) => hasPatch(state, { activation: "z", layer, head })}
                      isOff={(layer, head) => hasHead(state.off, { layer, head })}
                    />
                    <Choice
                      legend="Instead, a head that is off says"
                      name="ablation"
                      options={[
                        ["mean", "its average"],
                        ["zero", "nothing"],
                      ]}
                      value={state.ablation}
                      onChange={(ablation) => change((before) => ({ ...before, ablation }))}
                    />
                  </>
                )}
              </Figure>
              <Figure title={`Where head ${headName(shownHead)} looks`} chart={charts.attention}>
                {(chart) => (
                  <>
                    <p>
                      Point at a head. Each row looks at the columns, in percent; (, A1 and A2 are where letters are
                      read.
                    </p>
                    <Grid chart={chart} />
                  </>
                )}
              </Figure>
            </div>
          </section>
          {isEmbedded && (
            <section class="card" aria-labelledby="circuit-title">
              <h2 id="circuit-title">The circuit</h2>
              <p>Heads that do the work, found by measuring each. Click one to switch it off, and see what is left.</p>
              <CircuitView
                circuit={tables.circuit}
                off={state.off}
                letters={letters}
                onToggle={(head) => change((before) => toggleHead(before, head))}
                onPoint={setLook}
                onOff={(which) => {
                  const off = which === "none" ? [] : headsOutside(circuitOf(tables.circuit), sizes);
                  change((before) => ({ ...before, off }));
                }}
              />
            </section>
          )}
          <Place state={state} change={change} />
          <Challenges state={state} letters={results.of === state ? letters : undefined} sizes={sizes} />
          <CodeView state={state} link={link} isValid={letters !== undefined} />
          <OwnModel
            name={isEmbedded ? "the embedded model (2.1 MB, 4 layers of 4 heads)" : sizes.name}
            isReady={start !== undefined}
            bigger={tables.bigger}
            onFiles={takeFiles(backend!)}
            onFetched={takeFiles("webgpu", backend!)}
            onBack={isEmbedded ? undefined : () => takeModel(() => loaded.embedded!, "wasm", backend!)}
          />
        </div>
      </main>
      {letters && (
        <div class="strip" aria-hidden="true">
          <span>{letters.prompt.acronym.split("").join(" ")}</span>
          <span>→</span>
          <b>
            {letters.after.map((row) => (
              <span key={row.letter} class={row.says === row.right ? "" : "wrong"}>
                {row.says}{" "}
              </span>
            ))}
          </b>
        </div>
      )}
      <footer>
        <p>
          After García-Carrasco, Maté and Trujillo, <i>How does GPT-2 Predict Acronyms?</i> (2024). The embedded model
          was trained on acronyms for this project; it is not GPT-2.
        </p>
      </footer>
    </>
  );
}

type Change = (next: (state: State) => State) => void;

/** A chart with its title, when it is there. */
function Figure<C extends Parameters<typeof Downloads>[0]["chart"]>({
  title,
  chart,
  children,
}: {
  title: string;
  chart: C | undefined;
  children: (chart: C) => ComponentChildren;
}) {
  return (
    <div class="map">
      <h3>{title}</h3>
      {chart ? (
        <>
          <div class="scroll">{children(chart)}</div>
          <Downloads chart={chart} />
        </>
      ) : (
        <p class="waiting">Being computed …</p>
      )}
    </div>
  );
}

/** What is done, each with what takes it back. */
function Doings({
  state,
  change,
  undo,
  canUndo,
}: {
  state: State;
  change: Change;
  undo: () => void;
  canUndo: boolean;
}) {
  const items: [string, (state: State) => State][] = [
    ...state.patches.map((patch): [string, (state: State) => State] => [
      patch.activation === "z"
        ? `head ${headName(patch)}`
        : `${patchName(patch).replace("hook_", "").replaceAll("_", " ")}`,
      (before) => togglePatch(before, patch),
    ]),
    ...state.off.map((head): [string, (state: State) => State] => [
      `${headName(head)} off`,
      (before) => toggleHead(before, head),
    ]),
    ...(state.alike ? [["positions alike", (before: State) => ({ ...before, alike: false })] as never] : []),
    ...(isExchange(state.exchange)
      ? [[state.exchange.pair.join("↔"), (before: State) => ({ ...before, exchange: undefined })] as never]
      : []),
  ];
  return (
    <div class="row doings">
      {items.length === 0 && <span class="foot">Nothing is done to it yet: click a cell of a map.</span>}
      {items.map(([name, back]) => (
        <button type="button" class="chip" key={name} aria-label={`Take back: ${name}`} onClick={() => change(back)}>
          {name} <span aria-hidden="true">×</span>
        </button>
      ))}
      <button type="button" disabled={!canUndo} onClick={undo}>
        Undo
      </button>
      <button type="button" disabled={!isTouched(state)} onClick={() => change(untouched)}>
        Take all back
      </button>
    </div>
  );
}

function GuessView({ guess, letters }: { guess: string; letters: Letters }) {
  const said = saying(letters.before).replaceAll(" ", "");
  return (
    <p class="guess" id="guessed">
      You guessed {guess}: {guess === said ? "so the model says." : `the model says ${said}.`}
    </p>
  );
}

/** How the model knows which word is which. */
function Place({ state, change }: { state: State; change: Change }) {
  const { pair, embeddings, clock } = state.exchange ?? { pair: PAIRS[0], embeddings: false, clock: false };
  const set = (some: Partial<NonNullable<State["exchange"]>>) =>
    change((before) => ({ ...before, exchange: { pair, embeddings, clock, ...some } }));
  const box = (id: string, label: string, checked: boolean, onChange: (on: boolean) => void) => (
    <label class="box">
      <input id={id} type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />{" "}
      {label}
    </label>
  );
  return (
    <section class="card" aria-labelledby="place-title">
      <h2 id="place-title">How does it know which word is which?</h2>
      <div class="row">
        {box("alike", "Give every position the same embedding", state.alike, (alike) =>
          change((before) => ({ ...before, alike })),
        )}
      </div>
      <div class="row">
        <Choice
          legend="Exchange, between two words"
          name="pair"
          options={PAIRS.map((one) => [one.join("↔"), one.join("↔")] as const)}
          value={pair.join("↔")}
          onChange={(name) => set({ pair: PAIRS.find((one) => one.join("↔") === name)! })}
        />
        {box("embeddings", "their position embeddings", embeddings, (on) => set({ embeddings: on }))}
        {box("clock", "their clock: each head's attention to BOS", clock, (on) => set({ clock: on }))}
      </div>
    </section>
  );
}

const VERDICTS = { done: "✓ done", tried: "✗ not yet", open: "" };

function Challenges({
  state,
  letters,
  sizes,
}: {
  state: State;
  letters: Letters | undefined;
  sizes: { n_layers: number; n_heads: number };
}) {
  const [met, setMet] = useState<readonly string[]>([]);
  const heads = sizes.n_layers * sizes.n_heads;
  const verdicts = CHALLENGES.map((one) => (letters ? judge(one, state, letters, heads) : "open"));
  const now = CHALLENGES.filter((_, i) => verdicts[i] === "done").map(({ id }) => id);
  useEffect(() => {
    if (now.some((id) => !met.includes(id))) setMet([...new Set([...met, ...now])]);
  }, [now.join()]);
  return (
    <section class="card" aria-labelledby="try-title">
      <h2 id="try-title">Can you?</h2>
      <ol class="challenges" aria-live="polite">
        {CHALLENGES.map(({ id, title, hint }, i) => {
          const verdict = met.includes(id) ? "done" : verdicts[i];
          return (
            <li key={id} id={`challenge-${id}`} class={verdict}>
              <b>{title}</b> <span class="verdict">{VERDICTS[verdict]}</span>
              <details>
                <summary>A hint</summary>
                {hint}
              </details>
            </li>
          );
        })}
      </ol>
      <p class="foot">
        {heads - state.off.length} of {heads} heads are on.
      </p>
    </section>
  );
}

/** The head that is looked at first: of the circuit one of the latest. */
function defaultLook({ circuit }: Tables, { n_layers, n_heads }: { n_layers: number; n_heads: number }): HeadId {
  const heads = circuitOf(circuit).filter(({ layer, head }) => layer < n_layers && head < n_heads);
  return heads.at(-1) ?? { layer: 0, head: 0 };
}

/** Words of prompts that are known to work. */
const drawFrom = (crowd: readonly Words[]) => (): Words => crowd[Math.floor(Math.random() * crowd.length)];
