/** What the model says: bars of 26 capitals for each letter, before and after what was done. */
import type { LetterRow } from "../../src/experiments/behaviour";
import { capitalAt, POSITIONS } from "../../src/prompts/acronym-task";
import { readoutPosition } from "../../src/prompts/positions";
import type { Letters } from "../engine";
import { shares, shownPiece } from "../figures";

const percent = (share: number) => (share > 0.995 ? "> 99%" : `${Math.round(100 * share)}%`);

/** "K P W": what the model says, in a line. */
export const saying = (rows: readonly LetterRow[]) => rows.map(({ says }) => says).join(" ");

/** For those who hear the page: what it says now, and what has become of each letter. */
export function spoken({ before, after }: Letters): string {
  const changes = after.flatMap((row, i) =>
    row.says === before[i].says ? [] : [`letter ${row.letter} was ${before[i].says} and is ${row.says}`],
  );
  return `The model says ${saying(after)}. ${changes.join("; ")}`;
}

/** By how much the right letter leads, in logits. */
const lead = ({ logit_diff }: LetterRow) => logit_diff.toFixed(1).replace("-", "−");

function Bars({ before, after }: { before: LetterRow; after: LetterRow }) {
  const [was, is] = [shares(before), shares(after)];
  const wrong = after.says !== after.right;
  return (
    <li class="letter">
      <div class={`says${wrong ? " wrong" : ""}`}>
        <span class="big">{after.says}</span>
        <span class="share">{percent(after.probability)}</span>
      </div>
      <div class="says-how">
        <h3>
          Letter {after.letter} <small>read at {POSITIONS[readoutPosition(after.letter)]}</small>
        </h3>
        <div class="bars" aria-hidden="true">
          {is.map((share, i) => (
            <div class="bar" key={capitalAt(i)} title={`${capitalAt(i)}: ${percent(share)}`}>
              <div class="well">
                <div class="was" style={{ height: `${100 * was[i]}%` }} />
                <div
                  class={`is${capitalAt(i) === after.right ? " right" : ""}`}
                  style={{ height: `${100 * share}%` }}
                />
              </div>
              <span>{capitalAt(i)}</span>
            </div>
          ))}
        </div>
        <p class="told">
          Likeliest <b>“{shownPiece(after.predicted)}”</b>
          {before.says === after.says ? "" : <b>, was “{before.says}”</b>}; {after.right} leads by {lead(after)} logits
          {lead(before) === lead(after) ? "" : ` (${lead(before)})`}
        </p>
      </div>
    </li>
  );
}

export function LettersView({ letters }: { letters: Letters }) {
  const { before, after } = letters;
  return (
    <>
      <ol class="letters">
        {after.map((row, i) => (
          <Bars key={row.letter} before={before[i]} after={row} />
        ))}
      </ol>
      <details>
        <summary>The same as a table</summary>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">letter</th>
              <th scope="col">right</th>
              <th scope="col">says, before</th>
              <th scope="col">says, now</th>
              <th scope="col">share of 26</th>
              <th scope="col">logit difference, before</th>
              <th scope="col">now</th>
            </tr>
          </thead>
          <tbody>
            {after.map((row, i) => (
              <tr key={row.letter}>
                <th scope="row">{row.letter}</th>
                <td>{row.right}</td>
                <td>{before[i].says}</td>
                <td>{row.says}</td>
                <td>{percent(row.probability)}</td>
                <td>{before[i].logit_diff.toFixed(3)}</td>
                <td>{row.logit_diff.toFixed(3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
