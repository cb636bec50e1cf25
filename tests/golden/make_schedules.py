#!/usr/bin/env python3
"""Writes schedules.tsv: learning rates of every schedule, for tests/train/schedules_test.cpp.

constant, linear and cosine come from torch.optim.lr_scheduler (a full torch is needed). inverse_sqrt and google_rsqrt
are the formulas of fairseq (optim/lr_scheduler/inverse_square_root_schedule.py) and of Google's Long Range Arena
(utils/train_utils.py, create_learning_rate_scheduler), neither of which can be installed beside a current torch;
milestones walks through the updates as fairseq-apollo's scheduler does (lr_scheduler/milestone_lr_scheduler.py), which
keeps the rate as its state.
"""

import math
import pathlib
import warnings

import torch
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LinearLR, SequentialLR

PEAK, WARMUP, TOTAL, FINAL = 0.02, 40, 300, 0.1
warnings.filterwarnings("ignore")  # torch warns of schedulers that step without an optimiser step


def torch_rates(tail):
    """The rates of `TOTAL` updates: WARMUP of linear warm-up from PEAK/WARMUP, then `tail(optimizer)`."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    warmup = LinearLR(optimizer, start_factor=1 / WARMUP, end_factor=1.0, total_iters=WARMUP - 1)
    scheduler = SequentialLR(optimizer, [warmup, tail(optimizer)], milestones=[WARMUP])
    rates = []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    return rates


def fairseq_inverse_sqrt(num_updates, initial=1e-7):
    if num_updates < WARMUP:
        return initial + num_updates * (PEAK - initial) / WARMUP
    return PEAK * WARMUP**0.5 * num_updates**-0.5


def milestones(initial=1e-5, at=(20, 100, 250), gamma=0.1):
    rates, rate = [], initial
    for update in range(TOTAL):
        if update <= WARMUP:
            rate = initial + update * (PEAK - initial) / WARMUP
        elif update in at:
            rate *= gamma
        rates.append(rate)
    return rates


def google_rsqrt(step):
    return PEAK * min(1.0, step / WARMUP) / math.sqrt(max(step, WARMUP))


def main():
    tail = TOTAL - WARMUP
    rates = {
        "constant": torch_rates(lambda o: ConstantLR(o, factor=1.0)),
        "linear": torch_rates(lambda o: LinearLR(o, 1.0, FINAL, total_iters=tail)),
        "cosine": torch_rates(lambda o: CosineAnnealingLR(o, T_max=tail, eta_min=FINAL * PEAK)),
        "inverse_sqrt": [fairseq_inverse_sqrt(k) for k in range(TOTAL)],
        "milestones": milestones(),
        "google_rsqrt": [google_rsqrt(k) for k in range(TOTAL)],
    }
    lines = [f"# peak {PEAK} warmup {WARMUP} total {TOTAL} final_fraction {FINAL}; made by make_schedules.py"]
    for name, values in rates.items():
        shown = [*range(0, TOTAL, 13), WARMUP - 1, WARMUP, WARMUP + 1, 99, 100, 249, 250, TOTAL - 1]
        lines += [f"{name}\t{done}\t{values[done]!r}" for done in sorted(set(shown))]
    pathlib.Path(__file__).with_name("schedules.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
