/** What the notebook on data set and behaviour says, as questions to any model's numbers. */
import { type CorruptedRow, hiddenByMean, type LetterRow, type LetterSummary } from "../../experiments/behaviour";
import { grid } from "../../numbers/lists";
import { meanBy } from "../../numbers/mean-by";
import { where } from "../../numbers/rows";
import { mean } from "../../numbers/statistics";
import { CORRUPTIONS, type Corruption } from "../../prompts/corruption";
import { LETTERS, type Letter, POSITIONS, readoutPosition } from "../../prompts/positions";
import { type Claim, claim, given } from "../../show/claims";
import { paperBehaviour, paperFigure } from "../paper";
import type { Finding } from "./positional";

type Corrupted = Pick<CorruptedRow, "corruption" | "letter" | "seed" | "logit_diff" | "change">;
type Summary = Pick<LetterSummary, "letter" | "accuracy" | "logit_diff" | "std">;

/** A finding with the paper's numbers for GPT-2 Small. */
export interface BesidePaper extends Finding {
  readonly paper: string;
}

/** What the paper's figures say of one corruption and letter. */
export interface PaperCorruption {
  readonly corruption: Corruption;
  readonly letter: Letter;
  /** Of the logit difference, in logits. */
  readonly change: number;
  /** The reading is right to ± this. */
  readonly uncertainty: number;
}

const FIGURES = { current_word: "fig01_res_1", previous_words: "fig04_res_2", previous_letters: "fig07_res_3" };

/**
 * What comes closest to corrupting a whole part of the prompt in the paper, whose figures 1, 4 and 7 patch one position at a time:
 * the last layer's cell at the position where the letter is read.
 */
export function paperCorruptions(): PaperCorruption[] {
  return grid({ corruption: CORRUPTIONS, letter: LETTERS }).map(({ corruption, letter }) => {
    const x = POSITIONS[readoutPosition(letter)];
    const [cell] = where(paperFigure(FIGURES[corruption]).rows, { letter, x, y: 11 });
    return { corruption, letter, change: cell.value!, uncertainty: cell.uncertainty! }; // these cells could be read
  });
}

const per = (values: readonly number[]): string => values.map((value) => value.toFixed(2)).join(" / ");

/** Mean change of the logit difference, `[letter − 1][seed]`. */
const changesUnder = (rows: readonly Corrupted[], corruption: Corruption): number[][] =>
  LETTERS.map((letter) => meanBy(where(rows, { corruption, letter }), ["seed"], "change").map(({ change }) => change));

/** What decides the findings and claims below, all changes `[letter − 1][seed]`. */
function measured(summary: readonly Summary[], corrupted: readonly Corrupted[]) {
  const [word, words, letters] = CORRUPTIONS.map((corruption) => changesUnder(corrupted, corruption));
  const diffs = summary.map(({ logit_diff }) => logit_diff);
  const earlier = [...words.slice(1), ...letters.slice(1)].flat();
  return {
    ...{ word, words, letters, diffs },
    grows: diffs[0] < diffs[1] && diffs[1] < diffs[2],
    ownWord: word.every((seeds, i) => seeds.every((change, s) => change < Math.min(words[i][s], letters[i][s]))),
    secondMore: letters[1].every((change, s) => change < letters[2][s]),
    earlierWords: words
      .slice(1)
      .flat()
      .every((change) => change < 0),
    /** The least that earlier words or letters harm letter 2 or 3. */
    leastHarm: Math.max(...earlier),
  };
}

/**
 * What the paper's figures show of the task, put as questions to any model's numbers. Evidence: letters 1 / 2 / 3, changes as their mean
 * over the seeds; a finding holds if it does for every seed.
 * @param corrupted of `corruptedBehaviour`, for each seed
 */
export function behaviourFindings(summary: readonly Summary[], corrupted: readonly Corrupted[]): BesidePaper[] {
  const { word, words, letters, diffs, grows, ownWord, secondMore, earlierWords } = measured(summary, corrupted);
  const paper = paperCorruptions();
  const gpt2 = (corruption: Corruption) => per(where(paper, { corruption }).map(({ change }) => change));
  return [
    {
      finding: "logit difference: grows from letter to letter",
      holds: grows,
      evidence: per(diffs),
      paper: per(paperBehaviour().logit_diff),
    },
    {
      finding: "own word: matters most to each letter",
      holds: ownWord,
      evidence: per(word.map(mean)),
      paper: gpt2("current_word"),
    },
    {
      finding: "earlier words: matter to letters 2 and 3",
      holds: earlierWords,
      evidence: per(words.map(mean)),
      paper: gpt2("previous_words"),
    },
    {
      finding: "written letters: matter more to letter 2 than to 3",
      holds: secondMore,
      evidence: per(letters.map(mean)),
      paper: gpt2("previous_letters"),
    },
  ];
}

/** Of any model: what comes before the words can't tell prompts apart, so letter 1 has nothing to lose. */
export function firstLetterClaim(corrupted: readonly Corrupted[]): Claim {
  const untouched = where(corrupted, { corruption: ["previous_words", "previous_letters"], letter: 1 });
  // 0: these tokens are the clean ones, and so the same computation
  const largest = Math.max(...untouched.map(({ change }) => Math.abs(change)));
  return given(
    "Earlier words and written letters leave letter 1 as it was",
    largest === 0,
    `largest change ${largest}`,
  );
}

/**
 * Of the embedded model. The first two are given: it was chosen among models with at least 99% and a logit difference of at least 4.
 * @param decisions clean and corrupted rows, which the largest wrong letter and the mean of the wrong ones may judge differently
 */
export function behaviourClaims(
  summary: readonly Summary[],
  corrupted: readonly Corrupted[],
  decisions: readonly Pick<LetterRow, "logit_diff" | "mean_logit_diff">[],
): Claim[] {
  const { word, diffs, ownWord, leastHarm } = measured(summary, corrupted);
  const right = summary.map(({ accuracy }) => accuracy);
  const without = meanBy(where(corrupted, { corruption: "current_word" }), ["letter", "seed"], "logit_diff");
  const level = Math.max(...without.map(({ logit_diff }) => logit_diff));
  const hidden = hiddenByMean(decisions).length;
  const all = decisions.length;
  return [
    given("Each letter is right in at least 95% of the prompts", Math.min(...right) >= 0.95, per(right)),
    given("Each letter's logit difference is at least 4", Math.min(...diffs) >= 4, per(diffs)),
    claim("Without its word a letter loses, for every seed", level < 0, `logit difference at most ${level.toFixed(2)}`),
    claim(
      "Earlier words and letters harm letters 2 and 3, for every seed",
      leastHarm < 0,
      `change at most ${leastHarm.toFixed(2)}`,
    ),
    claim("A letter's own word matters most to it, for every seed", ownWord, `changes ${per(word.map(mean))}`),
    claim("The mean of the wrong letters hides errors", hidden > 0.1 * all, `${hidden} of ${all} decisions`),
  ];
}

/** Of GPT-2 Small: what the paper says of it. */
export function behaviourAsInPaper(summary: readonly Summary[], corrupted: readonly Corrupted[]): Claim[] {
  const { letters, diffs, grows, secondMore } = measured(summary, corrupted);
  const paper = paperBehaviour().logit_diff;
  const near = summary.every(({ logit_diff, std }, i) => Math.abs(logit_diff - paper[i]) <= std);
  const both = `${per(diffs)}; paper ${per(paper)}`;
  return [
    claim("The paper's logit differences lie within one standard deviation", near, both),
    claim("The logit difference grows from letter to letter, as in the paper", grows, both),
    claim(
      "Written letters matter more to letter 2 than to letter 3, as in the paper",
      secondMore,
      per(letters.map(mean)),
    ),
  ];
}
