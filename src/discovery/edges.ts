import { headName } from "../model/heads";
import type { HookName } from "../model/hooks";
import type { ModelConfig } from "../model/model";
import { range } from "../numbers/lists";

/** A part of the model that writes into the residual stream. */
export interface Sender {
  /** "embed", "0.1" (a head), "mlp 0". */
  readonly name: string;
  /** Where its output is: a head's before `W_O`. */
  readonly at: HookName;
  readonly layer: number;
  readonly head?: number;
}

/** What reads the residual stream: a head three times, an MLP, the logits. */
export interface Receiver {
  /** "1.2.q", "mlp 1", "logits". */
  readonly name: string;
  /** Where its input is. (Nobody but the logits reads what the last layer leaves.) */
  readonly at: HookName;
  readonly layer: number;
  readonly head?: number;
  /** It sees the first so many senders. */
  readonly reach: number;
}

/** An edge by the index of its ends. */
export interface Edge {
  readonly sender: number;
  readonly receiver: number;
}

/** A model as a graph: who writes, who reads, and every way from the one to the other that leads through nobody else. */
export interface EdgeGraph {
  /** In the order of the forward. */
  readonly senders: readonly Sender[];
  readonly receivers: readonly Receiver[];
  /** Receiver after receiver, its senders in their order. */
  readonly edges: readonly Edge[];
}

type Counts = Pick<ModelConfig, "n_layers" | "n_heads">;

/** The graph of a model. Token embeddings are a sender; position embeddings are none, being the same in every prompt. */
export function edgeGraph({ n_layers, n_heads }: Counts): EdgeGraph {
  const heads = range(n_heads);
  const headsOf = (layer: number) =>
    heads.map((head): Sender => ({ name: headName({ layer, head }), at: `blocks.${layer}.attn.hook_z`, layer, head }));
  const mlpOf = (layer: number): Sender => ({ name: `mlp ${layer}`, at: `blocks.${layer}.hook_mlp_out`, layer });
  const layers = range(n_layers);
  const senders: Sender[] = [
    { name: "embed", at: "hook_embed", layer: -1 },
    ...layers.flatMap((layer) => [...headsOf(layer), mlpOf(layer)]),
  ];
  const before = (layer: number) => 1 + layer * (n_heads + 1);
  const readers = (layer: number): Receiver[] => [
    ...(["q", "k", "v"] as const).flatMap((input) =>
      heads.map((head) => {
        const name = `${headName({ layer, head })}.${input}`;
        return { name, at: `blocks.${layer}.hook_${input}_input` as const, layer, head, reach: before(layer) };
      }),
    ),
    { name: `mlp ${layer}`, at: `blocks.${layer}.hook_mlp_in`, layer, reach: before(layer) + n_heads },
  ];
  const last = n_layers - 1;
  const receivers: Receiver[] = [
    ...layers.flatMap(readers),
    { name: "logits", at: `blocks.${last}.hook_resid_post`, layer: n_layers, reach: senders.length },
  ];
  const edges = receivers.flatMap(({ reach }, receiver) => range(reach).map((sender) => ({ sender, receiver })));
  return { senders, receivers, edges };
}

/** How many edges such a model has. */
export const edgeCount = (config: Counts): number => edgeGraph(config).edges.length;

/** "mlp 0 → 1.2.q" */
export const edgeName = ({ senders, receivers }: EdgeGraph, { sender, receiver }: Edge): string =>
  `${senders[sender].name} → ${receivers[receiver].name}`;

/** Hooks whose activations say what every sender writes. */
export const senderHooks = ({ n_layers }: Counts): HookName[] => [
  "hook_embed",
  ...range(n_layers).flatMap((layer) => [`blocks.${layer}.attn.hook_z`, `blocks.${layer}.hook_mlp_out`] as const),
];

/** The inputs' hooks, each once, in the order of the forward. */
export const receiverHooks = ({ receivers }: EdgeGraph): HookName[] => [...new Set(receivers.map(({ at }) => at))];
