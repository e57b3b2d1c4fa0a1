"""
Adds to a fixture folder what TransformerLens 1.14 says of edges: `edges.safetensors` and `edges.tolerances.json`.

    python scripts/parity/edges.py tests/fixtures/tiny-a

in an environment with the packages of scripts/bench/peer-requirements.txt. From the definitions, with TransformerLens's own
hooks (use_split_qkv_input, use_hook_mlp_in): exact edge patching, edge attribution patching (gradient at the receiver's input
times the change of the sender's output) and EAP-IG with 5 steps (the mean of the gradients of runs whose token embeddings are
k/5 of the way from the corrupted to the clean ones, k = 1 .. 5). Edges: receiver after receiver, in the order of the forward
(a layer's queries, keys and values head by head, its MLP; at the end the logits), each with its senders in that order.

Written are float32 roundings of a float64 run; tolerances as in the fixture's README.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.loading_from_pretrained import convert_gpt2_weights
from transformers import GPT2LMHeadModel

STEPS = 5
READ_AT = [8, 9, 10]


def load(folder, dtype):
    hf = GPT2LMHeadModel.from_pretrained(folder)
    c = hf.config
    cfg = HookedTransformerConfig(
        n_layers=c.n_layer, d_model=c.n_embd, n_heads=c.n_head, d_head=c.n_embd // c.n_head, n_ctx=c.n_positions,
        d_mlp=4 * c.n_embd, d_vocab=c.vocab_size, act_fn="gelu_new", eps=c.layer_norm_epsilon, normalization_type="LN",
        use_attn_scale=True, init_weights=False, device="cpu",
    )
    model = HookedTransformer(cfg)
    model.load_and_process_state_dict(convert_gpt2_weights(hf, cfg))
    model.set_use_split_qkv_input(True)
    model.set_use_hook_mlp_in(True)
    model.eval()
    return model.to(dtype)


def graph(cfg):
    """Senders (hook, head) and receivers (hook, head, how many senders they see), both in the order of the forward."""
    heads = range(cfg.n_heads)
    senders = [("hook_embed", None)]
    receivers = []
    for layer in range(cfg.n_layers):
        seen = len(senders)
        receivers += [(f"blocks.{layer}.hook_{x}_input", h, seen) for x in "qkv" for h in heads]
        senders += [(f"blocks.{layer}.attn.hook_z", h) for h in heads]
        receivers.append((f"blocks.{layer}.hook_mlp_in", None, len(senders)))
        senders.append((f"blocks.{layer}.hook_mlp_out", None))
    receivers.append((f"blocks.{cfg.n_layers - 1}.hook_resid_post", None, len(senders)))
    return senders, receivers


def metric(logits, inputs):
    letters = torch.tensor(inputs["letters"])
    chosen = logits[:, READ_AT][:, :, letters]
    answers = torch.tensor(inputs["answer_tokens"])
    is_right = answers[:, :, None] == letters
    right = (chosen * is_right).sum(-1)
    wrong = chosen.masked_fill(is_right, float("-inf")).max(-1).values
    return (right - wrong).mean(1)  # a number a prompt


def output(model, sender, cache):
    hook, head = sender
    if head is None:
        return cache[hook]
    return cache[hook][:, :, head] @ model.blocks[int(hook.split(".")[1])].attn.W_O[head]


def part(x, head):
    return x if head is None else x[:, :, head]


def exact(model, tokens, inputs, changes, receivers):
    whole = metric(model(tokens), inputs)
    scores = []
    for hook, head, seen in receivers:
        for change in changes[:seen]:

            def add(x, hook, head=head, change=change):
                x = x.clone()
                part(x, head).add_(change)
                return x

            logits = model.run_with_hooks(tokens, fwd_hooks=[(hook, add)])
            scores.append((metric(logits, inputs) - whole).mean())
    return torch.stack(scores)


def attribution(model, tokens, inputs, changes, receivers, embeddings):
    """Gradients at the receivers' inputs, mean over runs with these token embeddings, times the senders' changes."""
    sums = {hook: 0 for hook, _, _ in receivers}
    for embedding in embeddings:
        found = {}

        def keep(x, hook):
            x.retain_grad()
            found[hook.name] = x
            return x

        start = ("hook_embed", lambda x, hook, e=embedding: e.clone().requires_grad_(True))
        logits = model.run_with_hooks(tokens, fwd_hooks=[start, *((hook, keep) for hook in sums)])
        metric(logits, inputs).sum().backward()
        for hook, x in found.items():
            sums[hook] = sums[hook] + x.grad.detach() / len(embeddings)
        model.zero_grad()
    return torch.stack(
        [(part(sums[hook], head) * change).sum() / len(tokens) for hook, head, seen in receivers for change in changes[:seen]]
    )


def scores(folder, inputs, dtype):
    model = load(folder, dtype)
    senders, receivers = graph(model.cfg)
    tokens, corrupted = (torch.tensor(inputs[name]) for name in ("clean_tokens", "corrupted_tokens"))
    with torch.no_grad():
        clean, other = (model.run_with_cache(x)[1] for x in (tokens, corrupted))
        changes = [output(model, s, other) - output(model, s, clean) for s in senders]
        patched = exact(model, tokens, inputs, changes, receivers)
    a, b = other["hook_embed"], clean["hook_embed"]
    way = [a + (k / STEPS) * (b - a) for k in range(1, STEPS + 1)]
    return {
        "edges.exact": patched,
        "edges.eap": attribution(model, tokens, inputs, changes, receivers, [b]),
        f"edges.eap_ig.{STEPS}": attribution(model, tokens, inputs, changes, receivers, way),
    }


def main():
    folder = Path(sys.argv[1])
    inputs = json.loads((folder / "inputs.json").read_text())
    torch.manual_seed(0)
    single, double = (scores(folder, inputs, dtype) for dtype in (torch.float32, torch.float64))
    tolerances = {}
    for name, value in double.items():
        difference = (single[name].double() - value).abs().max().item()
        largest = value.abs().max().item()
        tolerances[name] = {
            "shape": list(value.shape),
            "max_abs": largest,
            "f32_max_abs_diff": difference,
            "tol": max(10 * difference, 1e-6 * max(1, largest)),
            "gauge_dependent": False,
        }
    save_file({name: value.float().contiguous() for name, value in double.items()}, folder / "edges.safetensors")
    (folder / "edges.tolerances.json").write_text(json.dumps(tolerances, indent=1) + "\n")
    for name, row in tolerances.items():
        print(name, row)


main()
