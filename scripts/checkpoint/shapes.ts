import type { ModelConfig } from "../../src/model/model";

/** GPT-2's sizes, and one as small as the paper's heads (up to 11.11) and its tokens allow, for tests. */
export const SHAPES: Readonly<Record<string, ModelConfig>> = {
  tiny: shape("tiny", { n_layers: 12, n_heads: 12, d_head: 2 }),
  "gpt2-small": shape("gpt2-small", { n_layers: 12, n_heads: 12 }),
  "gpt2-medium": shape("gpt2-medium", { n_layers: 24, n_heads: 16 }),
  "gpt2-large": shape("gpt2-large", { n_layers: 36, n_heads: 20 }),
  "gpt2-xl": shape("gpt2-xl", { n_layers: 48, n_heads: 25 }),
};

interface Size {
  readonly n_layers: number;
  readonly n_heads: number;
  readonly d_head?: number;
}

function shape(name: string, { n_layers, n_heads, d_head = 64 }: Size): ModelConfig {
  const d_model = n_heads * d_head;
  return { name, n_layers, n_heads, d_model, d_head, d_mlp: 4 * d_model, n_ctx: 1024, d_vocab: 50257, eps: 1e-5 };
}
