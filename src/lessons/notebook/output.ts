/** What a lesson says in a notebook, as HTML and as text. Colours are JupyterLab's own, light and dark; elsewhere those after the comma. */

import { escapeHtml } from "../../numbers/text";
import type { Bundle } from "../../show/display";
import type { Verdict } from "../exercise";

/** The format in which a program finds what came of a check. */
export const CHECK_MIME = "application/vnd.acronym-circuit.check+json";

const KINDS = {
  right: { mark: "✓", colour: "var(--jp-success-color1, #1a7f37)" },
  wrong: { mark: "✗", colour: "var(--jp-error-color1, #b2182b)" },
  unanswered: { mark: "…", colour: "var(--jp-border-color1, #888)" },
  note: { mark: "→", colour: "var(--jp-brand-color1, #2166ac)" },
} as const;

/** Lines with a coloured bar beside them; the first has the mark. The colour says nothing that the mark doesn't. */
function note(kind: keyof typeof KINDS, [first, ...more]: readonly string[]): Bundle & { "text/html": string } {
  const { mark, colour } = KINDS[kind];
  const lines = [`<b>${mark} ${escapeHtml(first)}</b>`, ...more.map(escapeHtml)];
  const style = `border-left:4px solid ${colour};padding:2px 10px;max-width:48em`;
  return {
    "text/html": `<div style="${style}">${lines.map((line) => `<div style="margin:2px 0">${line}</div>`).join("")}</div>`,
    "text/plain": [`${mark} ${first}`, ...more].join("\n"),
  };
}

/** What came of a check. @param kept why the try could not be noted; "" if it was */
export function verdictBundle(id: string, title: string, verdict: Verdict, kept = ""): Bundle {
  const machine = { [CHECK_MIME]: { id, ...verdict } };
  const rest = kept === "" ? [] : [`Not noted: ${kept}`];
  const stuck = `Stuck? hint("${id}") says more.`;
  switch (verdict.verdict) {
    case "right":
      return { ...machine, ...note("right", [title, verdict.why, ...rest]) };
    case "wrong": {
      const thought = verdict.misconception === undefined ? [] : [`As if: “${verdict.misconception}”.`];
      return { ...machine, ...note("wrong", [`${title}: not yet`, ...thought, verdict.why, stuck, ...rest]) };
    }
    case "unanswered":
      return { ...machine, ...note("unanswered", [`${title}: not answered yet`, stuck]) };
  }
}

/** @param number from 1 on */
export function hintBundle(id: string, number: number, hints: readonly string[]): Bundle {
  const next =
    number < hints.length
      ? `hint("${id}") once more says more.`
      : `That is the last; solution("${id}") shows a solution.`;
  return note("note", [`Hint ${number} of ${hints.length}`, hints[number - 1], next]);
}

export function solutionBundle(title: string, code: string): Bundle {
  const said = note("note", [`${title}: a solution`]);
  return {
    "text/html": `${said["text/html"]}<pre style="padding:4px 14px">${escapeHtml(code)}</pre>`,
    "text/plain": `${said["text/plain"]}\n${code}`,
  };
}

/** One sentence. */
export const noteBundle = (text: string): Bundle => note("note", [text]);
