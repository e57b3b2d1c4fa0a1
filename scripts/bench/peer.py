"""How long TransformerLens takes for each kind of run that the official scripts make, on a random model of the given shape.

Reads one line of JSON {"config", "tokens", "answers"} and answers with its versions; then makes one run of each kind for every
further line, answers with {kind: seconds} and sleeps in between. Nothing is downloaded.
"""

import json
import os
import sys
import time
from functools import partial

os.environ.update(TQDM_DISABLE="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")
answer = sys.stdout  # kept for answers: libraries may print
sys.stdout = sys.stderr

import pandas as pd  # noqa: E402
import torch  # noqa: E402
from transformer_lens import HookedTransformer, HookedTransformerConfig, patching  # noqa: E402

CAPITALS = torch.arange(32, 58)  # A … Z


def build(config):
    """The shape after TransformerLens's processing, as the scripts ask for it: layer norms without gain and bias."""
    torch.manual_seed(0)
    return HookedTransformer(
        HookedTransformerConfig(**config, act_fn="gelu_new", normalization_type="LNPre", seed=0, device="cpu")
    )


def logit_diff(answers, logits):
    """The right letter's logit minus the largest wrong capital's, of letter 1: the metric of every sweep."""
    right = logits[:, -3:].gather(-1, answers[..., None]).squeeze(-1)
    wrong = CAPITALS.expand(*answers.shape, -1)
    wrong = wrong[wrong != answers[..., None]].reshape(*answers.shape, -1)
    return (right - logits[:, -3:].gather(-1, wrong).max(-1).values)[:, 0].mean()


def swap_bos(activations, hook, head, cache):
    activations[:, head, :, 0] = cache[hook.name][:, head, :, 0]
    return activations


def kinds(model, tokens, answers):
    """One run of each kind as the scripts make it: k → what is timed."""
    metric = partial(logit_diff, answers)
    _, cache = model.run_with_cache(tokens.roll(1, 0))
    layers, heads, positions = model.cfg.n_layers, model.cfg.n_heads, tokens.shape[1]

    def patch(setter, name, **index):
        # the library's own loop, as get_act_patch_* run it, over one row
        rows = pd.DataFrame([index])
        return patching.generic_activation_patch(model, tokens, cache, metric, setter, name, index_df=rows)

    def bos(k):
        hook = partial(swap_bos, head=k % heads, cache=cache)
        model.add_hook(f"blocks.{k % layers}.attn.hook_pattern", hook)
        logits = model(tokens)
        model.reset_hooks(including_permanent=True)
        return metric(logits)

    return {
        "cached": lambda k: model.run_with_cache(tokens),
        "patterns": lambda k: model.run_with_cache(tokens, names_filter=lambda n: n.endswith("pattern"), return_type=None),
        "resid_pre": lambda k: patch(
            patching.layer_pos_patch_setter, "resid_pre", layer=k % layers, pos=k % positions
        ),
        "z": lambda k: patch(
            patching.layer_pos_head_vector_patch_setter, "z", layer=k % layers, pos=k % positions, head=k % heads
        ),
        "bos": bos,
    }


def say(message):
    print(json.dumps(message), file=answer, flush=True)


def main():
    torch.set_grad_enabled(False)
    job = json.loads(sys.stdin.readline())
    runs = kinds(build(job["config"]), torch.tensor(job["tokens"]), torch.tensor(job["answers"]))
    for run in runs.values():
        run(0)  # allocations and first uses are not timed
    say({"torch": torch.__version__, "threads": torch.get_num_threads()})
    for done, _ in enumerate(sys.stdin):
        seconds = {}
        for kind, run in runs.items():
            start = time.perf_counter()
            run(5 * done)  # another layer, head and position each time
            seconds[kind] = time.perf_counter() - start
        say(seconds)


main()
