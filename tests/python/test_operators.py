"""The operator library loaded into Python: torch.ops.attnlab against Torch's own formulas."""

import pathlib

import pytest

LIBRARY = pathlib.Path(__file__).parents[2] / "build/release/src/kernels/libattnlab_ops.so"


@pytest.fixture(scope="module")
def torch():
    try:
        import torch
    except (ImportError, OSError) as reason:
        pytest.skip(f"Torch cannot be imported here (scripts/setup --python-torch): {reason}")
    torch.ops.load_library(str(LIBRARY))
    torch.manual_seed(0)
    return torch


def close(torch, got, want):
    return torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_add_norm_and_its_gradients(torch):
    x, r = (torch.randn(3, 40, 32, requires_grad=True) for _ in range(2))
    w, b = torch.rand(32).add(0.5).requires_grad_(), torch.randn(32, requires_grad=True)
    inputs = (x, r, w, b)
    got = torch.ops.attnlab.add_norm(r, x, w, b, 1e-5)
    want = torch.nn.functional.layer_norm(r + x, (32,), w, b, 1e-5)
    close(torch, got, want)
    g = torch.randn_like(want)
    for mine, theirs in zip(torch.autograd.grad(got, inputs, g), torch.autograd.grad(want, inputs, g)):
        close(torch, mine, theirs)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_feed_forward(torch, activation):
    x = torch.randn(70, 16)
    w1, b1, w2, b2 = torch.randn(48, 16), torch.randn(48), torch.randn(16, 48), torch.randn(16)
    act = getattr(torch.nn.functional, activation)
    close(torch, torch.ops.attnlab.feed_forward(x, w1, b1, w2, b2, activation), act(x @ w1.T + b1) @ w2.T + b2)


def test_pack_rows(torch):
    g, x = torch.randn(2, 6, 8), torch.randn(2, 50, 8)
    z, total = torch.ops.attnlab.pack_rows(g, x)
    close(torch, z, torch.softmax(g @ x.transpose(1, 2), -1) @ x)
    close(torch, total, torch.ones(2, 6))


def test_weighted_attention(torch):
    q, k, v = torch.randn(2, 9, 16), torch.randn(2, 33, 16), torch.randn(2, 33, 16)
    heads = lambda t: t.view(2, -1, 4, 4).transpose(1, 2)
    want = torch.nn.functional.scaled_dot_product_attention(heads(q), heads(k), heads(v))
    close(torch, torch.ops.attnlab.weighted_attention(q, k, v, 4), want.transpose(1, 2).reshape(2, 9, 16))


def test_an_unknown_activation_is_refused(torch):
    t = torch.randn(4, 4)
    with pytest.raises(RuntimeError, match="relu or gelu"):
        torch.ops.attnlab.feed_forward(t, t, t[0], t, t[0], "swish")


def test_other_types_are_refused_and_an_expanded_bias_is_read_as_it_looks(torch):
    q = torch.randn(2, 5, 8)
    with pytest.raises(RuntimeError, match="fp32 tensors on the CPU"):
        torch.ops.attnlab.weighted_attention(q.double(), q.double(), q.double(), 2)
    bias = torch.tensor([0.0, -1.0, 2.0, 0.5, float("-inf")]).expand(2, 5)
    close(
        torch,
        torch.ops.attnlab.weighted_attention(q, q, q, 2, bias),
        torch.ops.attnlab.weighted_attention(q, q, q, 2, bias.contiguous()),
    )
