/** Two prompts of three words, typed or chosen, and a guess of what the model will say. */
import { useEffect, useState } from "preact/hooks";
import type { Refusal } from "../engine";
import type { Words } from "../state";

/** What refuses words, as far as it is known: a model has to be there. */
export type Check = (words: Words) => (Refusal | undefined)[];

interface PromptProps {
  readonly legend: string;
  readonly id: string;
  readonly words: Words;
  readonly refusals: readonly (Refusal | undefined)[];
  readonly onChange: (words: Words) => void;
  readonly onTake: (words: Words) => void;
}

const put = (words: Words, index: number, word: string): Words =>
  words.map((one, i) => (i === index ? word : one)) as unknown as Words;

function PromptFields({ legend, id, words, refusals, onChange, onTake }: PromptProps) {
  return (
    <fieldset class="prompt">
      <legend>{legend}</legend>
      <div class="words">
        <span>The</span>
        {words.map((word, i) => (
          <input
            key={i}
            id={`${id}-${i + 1}`}
            aria-label={`${legend}: word ${i + 1}`}
            list="words"
            value={word}
            maxLength={40}
            size={8}
            autocomplete="off"
            autocapitalize="words"
            spellcheck={false}
            aria-invalid={Boolean(refusals[i])}
            aria-describedby={refusals.some(Boolean) ? `${id}-refused` : undefined}
            onInput={(event) => onChange(put(words, i, event.currentTarget.value.trim()))}
          />
        ))}
        <span>(</span>
      </div>
      <div id={`${id}-refused`} class="refused" role="alert">
        {refusals.map((refusal, i) =>
          refusal === undefined ? null : (
            <p key={i}>
              {words[i] ? `“${words[i]}” ` : ""}
              {refusal.reason}.{refusal.near.length > 0 ? " Try " : ""}
              {refusal.near.map((near) => (
                <button type="button" class="chip" key={near} onClick={() => onTake(put(words, i === 3 ? 1 : i, near))}>
                  {near}
                </button>
              ))}
            </p>
          ),
        )}
      </div>
    </fieldset>
  );
}

interface WordsProps {
  readonly words: Words;
  readonly others: Words;
  readonly list: readonly string[];
  readonly check: Check | undefined;
  readonly draw: () => Words;
  /** The guess, "KPW", or "". */
  readonly onPredict: (words: Words, others: Words, guess: string) => void;
}

export function WordsForm({ words, others, list, check, draw, onPredict }: WordsProps) {
  const [typed, setTyped] = useState<readonly [Words, Words]>([words, others]);
  const [refusals, setRefusals] = useState<readonly (readonly (Refusal | undefined)[])[]>([[], []]);
  const [guess, setGuess] = useState("");
  const key = [...words, ...others].join(" ");
  useEffect(() => {
    setTyped([words, others]);
    setRefusals([words, others].map((one) => check?.(one) ?? []));
  }, [key, check]);
  const predict = (pair: readonly [Words, Words], own = guess) => {
    setTyped(pair);
    if (!check) return;
    const found = pair.map((one) => check(one));
    setRefusals(found);
    if (!found.flat().some(Boolean)) onPredict(...pair, own);
  };
  const set = (index: number) => (one: Words) => setTyped(typed.map((pair, i) => (i === index ? one : pair)) as never);
  const take = (index: number) => (one: Words) =>
    predict(typed.map((pair, i) => (i === index ? one : pair)) as unknown as [Words, Words]);
  return (
    <form
      class="card"
      aria-label="Prompts"
      onSubmit={(event) => {
        event.preventDefault();
        predict(typed);
      }}
    >
      <PromptFields
        legend="Your prompt"
        id="word"
        words={typed[0]}
        refusals={refusals[0]}
        onChange={set(0)}
        onTake={take(0)}
      />
      <PromptFields
        legend="The other prompt, to take from"
        id="other"
        words={typed[1]}
        refusals={refusals[1]}
        onChange={set(1)}
        onTake={take(1)}
      />
      <div class="row">
        <label>
          Guess{" "}
          <input
            id="guess"
            value={guess}
            size={4}
            maxLength={3}
            autocomplete="off"
            spellcheck={false}
            placeholder="ABC"
            onInput={(event) => setGuess(event.currentTarget.value.toUpperCase().replace(/[^A-Z]/g, ""))}
          />
        </label>
        <button type="submit" class="main" disabled={!check}>
          Predict
        </button>
        <button type="button" class="plain" disabled={!check} onClick={() => predict([draw(), draw()], "")}>
          New words
        </button>
        <button type="button" class="plain" disabled={!check} onClick={() => predict([typed[1], typed[0]], "")}>
          Swap
        </button>
      </div>
      <datalist id="words">
        {list.map((word) => (
          <option key={word} value={word} />
        ))}
      </datalist>
    </form>
  );
}
