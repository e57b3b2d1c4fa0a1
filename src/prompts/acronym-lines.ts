import { codePoints, quote, unseen } from "../numbers/text";

/** One line of a prompts file. */
export interface AcronymLine {
  readonly prompt: string;
  readonly acronym: string;
  readonly words: readonly [string, string, string];
}

/**
 * Reads lines `The Ketchup Lark Wreck (KL, KLW`, the official repository's format; any line ends are fine.
 * Throws an Error `name:line: what is wrong` at the first malformed line.
 * @param name of the file, for messages.
 */
export function parseAcronyms(text: string, name: string): AcronymLine[] {
  const lines = text
    .replace(/^\uFEFF/, "")
    .replace(/[ \t\r\n]+$/, "")
    .split(/\r\n?|\n/);
  if (lines.length === 1 && lines[0] === "") throw new Error(`${name} has no prompts`);
  return lines.map((line, index) => {
    try {
      return parseLine(line);
    } catch (error) {
      throw new Error(
        `${name}:${index + 1}: ${(error as Error).message}; expected a line like The Ketchup Lark Wreck (KL, KLW`,
      );
    }
  });
}

function parseLine(line: string): AcronymLine {
  const fail = (what: string): never => {
    throw new Error(what);
  };
  if (line.trim() === "") fail("the line is blank");
  const hidden = unseen(line);
  if (hidden !== "") fail(`${quote(line)} holds what can't be seen, ${hidden}`);
  const parts = line.split(",");
  if (parts.length !== 2) fail(`${quote(line)} has ${parts.length - 1} commas, not 1`);
  const [prompt, acronym] = [parts[0], parts[1].replace(/^ /, "")];
  if (!/^[A-Z]{3}$/.test(acronym)) fail(`the acronym ${quote(acronym)} is not three capitals`);
  if (!prompt.startsWith("The ")) fail(`${quote(prompt)} does not begin with "The "`);
  const [text, letters, ...more] = prompt.slice("The ".length).split(" (");
  if (letters === undefined || more.length > 0) fail(`${quote(prompt)} has not exactly one " ("`);
  const words = text.split(" ");
  if (words.length !== 3 || words.includes(""))
    fail(
      `${quote(text)} is ${words.filter((word) => word !== "").length} words, or has a space too many: 3 words with single spaces are needed`,
    );
  const capitals = words.map((word) => Array.from(word)[0]).join("");
  const foreign = codePoints(Array.from(capitals).filter((letter) => letter > "~"));
  if (capitals !== acronym)
    fail(
      `the words begin with ${quote(capitals)}${foreign && ` (${foreign}: no letter of A–Z)`}, but the acronym is "${acronym}"`,
    );
  if (letters !== acronym.slice(0, 2)) fail(`after the bracket stands ${quote(letters)}, not "${acronym.slice(0, 2)}"`);
  return { prompt, acronym, words: [words[0], words[1], words[2]] };
}
