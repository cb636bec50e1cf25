#!/usr/bin/env python3
"""Writes apollo.json: parameters under Apollo (Ma 2020) with given gradients, for tests/train/apollo_test.cpp.

numpy in double, line by line after the algorithm as fairseq-apollo of November 2021 runs it ("constant" rebound, L2
decay): the direction of the last step is divided by its 4-norm before anything is computed from it.
"""

import json
import pathlib

import numpy

BETA, EPS, REBOUND, DECAY, STEPS = 0.9, 1e-4, 0.01, 1e-2, 8
SHAPES = {"matrix": (4, 3), "vector": (5,)}


def step(state, theta, gradient, rate):
    state["t"] += 1
    alpha = (1 - BETA) / (1 - BETA ** state["t"])
    gradient = gradient + DECAY * theta
    delta = gradient - state["m"]
    state["m"] = state["m"] + alpha * delta
    scale = numpy.power(numpy.sum(state["d"] ** 4), 0.25) + EPS / REBOUND
    direction = state["d"] / scale
    squared = direction**2
    correction = -alpha * numpy.sum(delta / scale * direction) - numpy.sum(state["B"] * squared)
    state["B"] = state["B"] + correction * squared
    state["d"] = state["m"] / numpy.maximum(numpy.abs(state["B"]), REBOUND)
    return theta - rate * state["d"]


def main():
    random = numpy.random.default_rng(16)
    golden = {"beta": BETA, "eps": EPS, "rebound": REBOUND, "weight_decay": DECAY, "parameters": {}}
    for name, shape in SHAPES.items():
        theta = random.normal(size=shape)
        state = {"t": 0, "m": numpy.zeros(shape), "B": numpy.zeros(shape), "d": numpy.zeros(shape)}
        entry = {"start": theta.ravel().tolist(), "steps": []}
        for k in range(STEPS):
            # of a bowl, with noise: the diagonal must find its curvature and leave the bound
            gradient = 0.3 * theta + 0.05 * random.normal(size=shape)
            rate = 0.02 * (k + 1)
            theta = step(state, theta, gradient, rate)
            entry["steps"].append({"rate": rate, "gradient": gradient.ravel().tolist(),
                                   "after": theta.ravel().tolist(), "hessian": state["B"].ravel().tolist()})
        assert numpy.abs(state["B"]).max() > REBOUND > numpy.abs(state["B"]).min(), name
        golden["parameters"][name] = entry
    pathlib.Path(__file__).with_name("apollo.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
