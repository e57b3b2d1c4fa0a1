/** Hugging Face's config.json, as far as it says what is computed. */
import type { ModelConfig } from "../model/model";
import { quote } from "./header-reader";

/** Hugging Face's names of gelu by tanh, which GPT-2 has: they differ by rounding at most. Its plain "gelu" is another function. */
const GELU = ["gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate"];

/** What every GPT-2 config must say, where it says anything; another value means another architecture. */
const ARCHITECTURE: Readonly<Record<string, readonly unknown[]>> = {
  model_type: ["gpt2"],
  activation_function: GELU,
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  add_cross_attention: [false],
};

/** Each size's field, and other spellings of it: GPT2Config's own, and those that other models' configs have. */
const SPELLINGS = {
  n_embd: ["hidden_size"],
  n_layer: ["num_hidden_layers"],
  n_head: ["num_attention_heads"],
  n_positions: ["max_position_embeddings"],
  n_inner: ["intermediate_size"],
  vocab_size: [],
} as const;

/** Other models' spellings that GPT2Config does not know: its default counts, whatever they say. */
const IGNORED = { layer_norm_eps: "layer_norm_epsilon", hidden_act: "activation_function" } as const;
const DEFAULTS = { layer_norm_epsilon: 1e-5, activation_function: "gelu_new" } as const;

/** What a config.json holds, unchecked. */
export type Settings = Readonly<Record<string, unknown>>;

/** What a message shows of a value. */
const shown = (value: unknown) => {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > 80 ? quote(text) : text;
};

function checkArchitecture(json: Settings, file: string): void {
  for (const [field, allowed] of Object.entries(ARCHITECTURE))
    if (json[field] !== undefined && !allowed.includes(json[field]))
      throw new Error(
        `${file}: ${field} is ${shown(json[field])}; only ${allowed.map(shown).join(", ")} is supported: choose a model of GPT-2's architecture`,
      );
  for (const [other, field] of Object.entries(IGNORED)) {
    const preset = DEFAULTS[field];
    const isSame = json[other] === preset || (field === "activation_function" && GELU.includes(json[other] as string));
    if (json[field] === undefined && json[other] !== undefined && !isSame)
      throw new Error(
        `${file}: ${other} is ${shown(json[other])}, but GPT-2's config calls it ${field} and takes ${preset} where that is missing: say in ${field} what the model was trained with`,
      );
  }
}

/** A size under whichever of its names it is given. Throws an Error if it is none, or two names have two values. */
function sizeOf(json: Settings, file: string, field: keyof typeof SPELLINGS, ...more: string[]): number {
  const isGiven = (name: string) => json[name] !== undefined && json[name] !== null;
  const given = [field, ...SPELLINGS[field]].filter(isGiven);
  for (const name of given.slice(1))
    if (json[name] !== json[given[0]])
      throw new Error(
        `${file}: ${given[0]} is ${shown(json[given[0]])} but ${name}, another name of it, is ${shown(json[name])}: remove the wrong one`,
      );
  const value = [...given, ...more.filter(isGiven)].map((name) => json[name])[0];
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw new Error(
      `${file}: ${given[0] ?? [field, ...more].join(" or ")} is ${shown(value)}; a positive integer is needed`,
    );
  return value as number;
}

/**
 * The sizes of a model by its Hugging Face config.json. Throws an Error naming the file and the field if it is not a GPT-2's.
 * @param file what messages call the file
 * @param name what the model is called
 */
export function configOf(json: Settings, file: string, name: string): ModelConfig {
  checkArchitecture(json, file);
  const size = (field: keyof typeof SPELLINGS, ...more: string[]) => sizeOf(json, file, field, ...more);
  const [d_model, n_heads] = [size("n_embd"), size("n_head")];
  if (d_model % n_heads !== 0) throw new Error(`${file}: n_embd ${d_model} is not a multiple of n_head ${n_heads}`);
  const eps = json.layer_norm_epsilon ?? DEFAULTS.layer_norm_epsilon;
  if (typeof eps !== "number" || !(eps > 0 && eps < 1))
    throw new Error(`${file}: layer_norm_epsilon is ${shown(eps)}; a number between 0 and 1 is needed`);
  const tie_word_embeddings = json.tie_word_embeddings ?? true;
  if (typeof tie_word_embeddings !== "boolean")
    throw new Error(`${file}: tie_word_embeddings is ${shown(tie_word_embeddings)}; true or false is needed`);
  const hasInner = ["n_inner", ...SPELLINGS.n_inner].some((name) => json[name] !== undefined && json[name] !== null);
  return {
    name,
    n_layers: size("n_layer"),
    n_heads,
    d_model,
    d_head: d_model / n_heads,
    d_mlp: hasInner ? size("n_inner") : 4 * d_model,
    n_ctx: size("n_positions", "n_ctx"),
    d_vocab: size("vocab_size"),
    eps,
    tie_word_embeddings,
  };
}
