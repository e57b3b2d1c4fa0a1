/** A folder's tokens, from the files in which Hugging Face's tools keep them. */
import { isTable } from "./json";

/** A folder's tokens and where they stand. */
export interface Vocabulary {
  /** The file with the table. */
  readonly file: string;
  /** Spelling → id, as vocab.json has it: "ĠK" is " K". */
  readonly table: Readonly<Record<string, unknown>>;
  /** Text → id of tokens that were added to the table; texts are spelled as they are. */
  readonly added: ReadonlyMap<string, unknown>;
}

/** A table of tokens stands in one of these. */
export const TABLES = ["vocab.json", "tokenizer.json"] as const;

const ADDED_TOKENS = "added_tokens.json";
const TOKENIZER_CONFIG = "tokenizer_config.json";

/** All files of a folder that may name tokens. */
export const VOCABULARY_FILES: readonly string[] = [...TABLES, ADDED_TOKENS, TOKENIZER_CONFIG];

/**
 * The tokens of vocab.json, else those of the table in tokenizer.json; and the added tokens of tokenizer.json, added_tokens.json and
 * tokenizer_config.json.
 * Throws an Error naming the file if there is no table, or a file contradicts another.
 * @param content what those of `VOCABULARY_FILES` hold that there are, a file of `TABLES` among them
 * @param where what messages call a file
 */
export function vocabularyOf(
  content: ReadonlyMap<string, Record<string, unknown>>,
  where: (name: string) => string = (name) => name,
): Vocabulary {
  const name = TABLES.find((one) => content.has(one))!;
  const file = where(name);
  const json = content.get(name)!;
  const table = name === "vocab.json" ? json : isTable(json.model) ? json.model.vocab : undefined;
  if (!isTable(table)) throw new Error(`${file} holds no ${NO_TABLE}: fetch it again`);
  const added = new Map<string, unknown>();
  for (const [source, list] of content)
    for (const [text, id] of ADDED[source]?.(list) ?? []) {
      if (added.has(text) && added.get(text) !== id)
        throw new Error(
          `${where(source)}: the added token ${JSON.stringify(text)} has the id ${JSON.stringify(id)}, in another file ${JSON.stringify(added.get(text))}: take all files from the same model`,
        );
      added.set(text, id);
    }
  return { file, table, added };
}

/** What messages say is missing. */
export const NO_TABLE = 'table of tokens; {"token": id, …} is needed (in tokenizer.json under model.vocab)';

type Pairs = readonly (readonly [text: string, id: unknown])[];

/** How each file names added tokens. What has another form is passed over: the ids that are missing then are told. */
const ADDED: Readonly<Record<string, (json: Record<string, unknown>) => Pairs>> = {
  // [{"id": 50257, "content": "<pad>", …}, …]
  "tokenizer.json": ({ added_tokens: list }) =>
    (Array.isArray(list) ? list : []).flatMap((one) => (hasContent(one) ? [[one.content, one.id] as const] : [])),
  // {"<pad>": 50257}
  [ADDED_TOKENS]: (json) => Object.entries(json),
  // {"50257": {"content": "<pad>", …}}
  [TOKENIZER_CONFIG]: ({ added_tokens_decoder: decoder }) =>
    Object.entries(isTable(decoder) ? decoder : {}).flatMap(([id, one]) =>
      hasContent(one) ? [[one.content, Number(id)] as const] : [],
    ),
};

const hasContent = (one: unknown): one is { content: string; id?: unknown } =>
  isTable(one) && typeof one.content === "string";
