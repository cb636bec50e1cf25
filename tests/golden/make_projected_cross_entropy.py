#!/usr/bin/env python3
"""Makes projected_cross_entropy.json: label-smoothed losses and their gradients, for both conventions.

    python tests/golden/make_projected_cross_entropy.py    needs PyTorch

uniform is torch.nn.functional.cross_entropy(label_smoothing). fairseq is its label_smoothed_nll_loss written out in
plain Python; its gradients are central differences of that.
"""

import json
import math
import pathlib

import torch

N, D, V, EPSILON, IGNORED, STEP = 7, 3, 11, 0.1, 1, 1e-5
NAMES = ("hidden", "weight", "bias")


def uniform(operands, targets):
    leaves = [torch.tensor(x, dtype=torch.double, requires_grad=True) for x in operands]
    logits = leaves[0] @ leaves[1].T + leaves[2]
    loss, nll = (torch.nn.functional.cross_entropy(logits, torch.tensor(targets), ignore_index=IGNORED, reduction="sum",
                                                   label_smoothing=e) for e in (EPSILON, 0.0))
    loss.backward()
    return loss.item(), nll.item(), [x.grad.tolist() for x in leaves]


def fairseq_sums(hidden, weight, bias, targets):
    """fairseq/criterions/label_smoothed_cross_entropy.py, with reduce and ignore_index."""
    loss = nll = 0.0
    for h, target in zip(hidden, targets):
        if target == IGNORED:
            continue
        logits = [sum(a * b for a, b in zip(h, w)) + c for w, c in zip(weight, bias)]
        log_sum = math.log(sum(map(math.exp, logits)))
        lprobs = [z - log_sum for z in logits]
        nll_loss, smooth_loss = -lprobs[target], -sum(lprobs)
        eps_i = EPSILON / (len(lprobs) - 1)
        loss += (1.0 - EPSILON - eps_i) * nll_loss + eps_i * smooth_loss
        nll += nll_loss
    return loss, nll


def difference(operands, targets, row, which):
    """Of the loss, by element `which` of this list."""
    kept, sides = row[which], []
    for step in (STEP, -STEP):
        row[which] = kept + step
        sides.append(fairseq_sums(*operands, targets)[0])
    row[which] = kept
    return (sides[0] - sides[1]) / (2 * STEP)


def fairseq(operands, targets):
    loss, nll = fairseq_sums(*operands, targets)
    rows = [[[difference(operands, targets, row, i) for i in range(D)] for row in matrix] for matrix in operands[:2]]
    bias = [difference(operands, targets, operands[2], i) for i in range(V)]
    return loss, nll, [*rows, bias]


def main():
    generator = torch.Generator().manual_seed(3)
    operands = [torch.randn(*shape, generator=generator).tolist() for shape in ((N, D), (V, D), (V,))]
    targets = [4, IGNORED, 0, 10, 4, IGNORED, 2]
    golden = dict(zip(NAMES, operands), targets=targets, epsilon=EPSILON, ignored=IGNORED, conventions={})
    for convention in (uniform, fairseq):
        loss, nll, gradients = convention(operands, targets)
        golden["conventions"][convention.__name__] = dict(smoothed=loss, nll=nll, gradients=dict(zip(NAMES, gradients)))
    path = pathlib.Path(__file__).with_name("projected_cross_entropy.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
