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


def test_projected_cross_entropy_and_its_gradients(torch):
    hidden, weight, bias = (torch.randn(*shape, requires_grad=True) for shape in ((9, 4), (30, 4), (30,)))
    targets = torch.tensor([3, -100, 0, 29, 3, 1, 2, -100, 7])
    smoothed, nll = torch.ops.attnlab.projected_cross_entropy(hidden, weight, targets, bias, 0.1, "uniform")
    logits = torch.nn.functional.linear(hidden, weight, bias)
    want = torch.nn.functional.cross_entropy(logits, targets, reduction="sum", label_smoothing=0.1)
    close(torch, smoothed.float(), want)
    close(torch, nll.float(), torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
    leaves = (hidden, weight, bias)
    for mine, theirs in zip(torch.autograd.grad(smoothed, leaves), torch.autograd.grad(want, leaves)):
        close(torch, mine, theirs)
    with pytest.raises(RuntimeError, match="fairseq or uniform"):
        torch.ops.attnlab.projected_cross_entropy(hidden, weight, targets, bias, 0.1, "google")


def causal_luna_token_by_token(torch, q, k, v, a):
    """Ma et al. 2021, section 3.2: f(U, A, V) with U = softmax(f(Q, K, A)), f(x, y, z)_t = x_t (sum y_j' z_j) / t."""
    t = torch.arange(1, q.size(2) + 1, dtype=q.dtype)[:, None]
    read = lambda x, y, z: torch.einsum("bhni,bhnij->bhnj", x, torch.einsum("bhni,bhnj->bhnij", y, z).cumsum(2)) / t
    return read(torch.softmax(read(q, k, a), -1), a, v)


@pytest.mark.parametrize("form", ["scan", "chunks", "outer_products"])
def test_causal_luna_and_its_gradients(torch, form):
    q, k, v = (torch.randn(2, 70, 3, 8).transpose(1, 2).requires_grad_() for _ in range(3))  # rows apart
    a = torch.rand(2, 3, 70, 5, requires_grad=True)
    got = torch.ops.attnlab.causal_luna(q, k, v, a, form=form)
    want = causal_luna_token_by_token(torch, q, k, v, a)
    close(torch, got, want)
    g = torch.randn_like(want)
    for mine, theirs in zip(torch.autograd.grad(got, (q, k, v, a), g), torch.autograd.grad(want, (q, k, v, a), g)):
        close(torch, mine, theirs)


def test_causal_luna_of_narrow_types_and_of_wrong_shapes(torch):
    q, k, v, a = (torch.randn(1, 2, 20, w).bfloat16() for w in (8, 8, 8, 4))
    y = torch.ops.attnlab.causal_luna(q, k, v, a.abs())
    assert y.dtype == torch.bfloat16
    with pytest.raises(RuntimeError, match=r"q, k and v of one shape \[B, H, N, d\], not \[1, 2, 20, 8\], \[1, 2, 19, 8\]"):
        torch.ops.attnlab.causal_luna(q, k[:, :, 1:], v, a)
    with pytest.raises(RuntimeError, match="scan, chunks or outer_products"):
        torch.ops.attnlab.causal_luna(q, k, v, a, form="parallel")


def test_causal_luna_in_fp16_has_the_gradients_of_fp32_rounded(torch):
    q, k, v, a = (torch.randn(1, 2, 40, w).half() for w in (8, 8, 8, 4))
    narrow = [t.requires_grad_() for t in (q, k, v, a.abs())]
    wide = [t.detach().float().requires_grad_() for t in narrow]
    y, want = (torch.ops.attnlab.causal_luna(*of) for of in (narrow, wide))
    assert y.dtype == torch.float16 and torch.equal(y, want.half())
    g = torch.randn_like(want).half()
    mine, theirs = torch.autograd.grad(y, narrow, g), torch.autograd.grad(want, wide, g.float())
    for got, exact in zip(mine, theirs):
        assert got.dtype == torch.float16 and torch.equal(got, exact.half())


def every_second_column(t):
    return t.repeat_interleave(2, -1)[..., ::2]


def other_order(t):
    return t.transpose(-2, -1).contiguous().transpose(-2, -1)


@pytest.mark.parametrize("laid_out", [every_second_column, other_order])
@pytest.mark.parametrize("which", ["q", "k", "v", "a", "dy"])
def test_causal_luna_reads_tensors_however_they_lie(torch, which, laid_out):
    names = ("q", "k", "v", "a", "dy")
    dense = dict(zip(names, (torch.randn(2, 3, 70, w) for w in (8, 8, 8, 5, 8))))
    dense["a"] = dense["a"].abs()
    strided = dict(dense, **{which: laid_out(dense[which])})
    assert not strided[which].is_contiguous() and torch.equal(strided[which], dense[which])

    def results(given):
        leaves = [given[name].detach().requires_grad_() for name in names[:4]]
        y = torch.ops.attnlab.causal_luna(*leaves)
        return y, *torch.autograd.grad(y, leaves, given["dy"])

    for got, want in zip(results(strided), results(dense)):
        assert torch.equal(got, want)


@pytest.mark.parametrize(
    "changed, sentence",
    [
        (dict(a=(1, 2, 19, 4)), r"a of shape \[B, H, N, L\] beside q of \[1, 2, 20, 8\], not \[1, 2, 19, 4\]"),
        (dict(a=(2, 20, 4)), r"a of shape \[B, H, N, L\] beside q of \[1, 2, 20, 8\], not \[2, 20, 4\]"),
        (dict(a=(1, 2, 20, 0)), r"at least one row of P, and a of \[1, 2, 20, 0\] has none"),
        (dict(counts=(20,)), r"counts of shape \[B, N\] beside q of \[1, 2, 20, 8\], not \[20\]"),
        (dict(counts=(1, 19)), r"counts of shape \[B, N\] beside q of \[1, 2, 20, 8\], not \[1, 19\]"),
        (dict(masked=(4,)), r"masked of shape \[B, L\] beside a of \[1, 2, 20, 4\], not \[4\]"),
        (dict(masked=(1, 5)), r"masked of shape \[B, L\] beside a of \[1, 2, 20, 4\], not \[1, 5\]"),
    ],
)
def test_causal_luna_refuses_wrong_shapes_by_name(torch, changed, sentence):
    shapes = dict(q=(1, 2, 20, 8), k=(1, 2, 20, 8), v=(1, 2, 20, 8), a=(1, 2, 20, 4)) | changed
    types = dict(counts=torch.long, masked=torch.bool)
    given = {name: torch.ones(shape, dtype=types.get(name)) for name, shape in shapes.items()}
    with pytest.raises(RuntimeError, match="causal Luna takes " + sentence):
        torch.ops.attnlab.causal_luna(**given)


def test_causal_luna_of_tensors_without_numbers_has_the_shape_and_type_of_others(torch):
    from torch._subclasses.fake_tensor import FakeTensorMode

    luna = torch.ops.attnlab.causal_luna

    def shape_and_type(device=None):
        q, a = torch.empty(2, 3, 70, 8, device=device), torch.empty(2, 3, 70, 5, device=device)
        counts = torch.ones(2, 70, dtype=torch.long, device=device)
        y = luna(q.half(), q.half(), q.half(), a.half(), counts)
        return y.shape, y.dtype

    assert shape_and_type("meta") == shape_and_type()
    with FakeTensorMode():
        assert shape_and_type() == (torch.Size((2, 3, 70, 8)), torch.float16)


def test_causal_luna_refuses_what_it_cannot_compute_with(torch):
    q, a = torch.randn(1, 2, 20, 8), torch.rand(1, 2, 20, 4)
    luna = torch.ops.attnlab.causal_luna
    with pytest.raises(RuntimeError, match="q, k, v and a of floating point, and a is of Long"):
        luna(q, q, q, a.long())
    with pytest.raises(RuntimeError, match="q, k, v and a of floating point, and q is of Int"):
        luna(q.int(), q.int(), q.int(), a)
    with pytest.raises(RuntimeError, match="tensors of one device, and q is on cpu and k on meta"):
        luna(q, q.to("meta"), q, a)
    with pytest.raises(RuntimeError, match="masked of bool, not of Float"):
        luna(q, q, q, a, masked=torch.zeros(1, 4))
    with pytest.raises(RuntimeError, match="at least one token and one column"):
        luna(q[:, :, :0], q[:, :, :0], q[:, :, :0], a[:, :, :0])
    for p in (-0.1, 1.0, float("nan")):
        with pytest.raises(RuntimeError, match="a probability of dropout from 0 to below 1"):
            luna(q, q, q, a, p=p, seed=3)


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


def softmax_of(torch, q, k, seen, group):
    """Weights [H, T] of one query [H, d] over the keys [T, K, d] that are seen, in the type of the inputs."""
    logits = torch.einsum("hd,thd->ht", q, k.repeat_interleave(group, 1)) / q.shape[-1] ** 0.5
    return torch.softmax(logits.masked_fill(~seen, float("-inf")), -1)


def test_bounded_attention_step(torch):
    batch, heads, kv, slots, d = 3, 6, 2, 37, 16
    q, k, v = torch.randn(batch, heads, d), *(torch.randn(batch, kv, slots, d) for _ in range(2))
    seen = torch.rand(batch, kv, slots) < 0.7
    extent = torch.tensor([[37, 30], [5, 37], [20, 0]])
    seen &= torch.arange(slots) < extent[..., None]
    seen[1, 0] = False
    bias = torch.zeros(batch, kv, slots).masked_fill(~seen, float("-inf"))
    y, shares = torch.ops.attnlab.bounded_attention_step(q, k, v, bias, extent)
    for b in range(batch):
        for g in range(kv):
            mine = slice(3 * g, 3 * g + 3)
            weights = softmax_of(torch, q[b, mine].double(), k[b, g, :, None].double(), seen[b, g], 3)
            weights = torch.nan_to_num(weights)  # nothing seen: 0
            close(torch, y[b, mine].double(), weights @ v[b, g].double())
            close(torch, shares[b, g].double(), weights.sum(0))
    assert not y[1, :3].any() and not shares[2, 1].any()


def test_bounded_attention_step_sees_everything_by_default(torch):
    q, k, v = torch.randn(2, 4, 8), torch.randn(2, 4, 19, 8), torch.randn(2, 4, 19, 8)
    y, shares = torch.ops.attnlab.bounded_attention_step(q, k, v)
    want = torch.nn.functional.scaled_dot_product_attention(q[:, :, None], k, v)
    close(torch, y, want[:, :, 0])
    close(torch, shares.sum(-1), torch.ones(2, 4))


def bounded_in_double(torch, q, k, v, size, protect_first=0, by_age=False):
    """The rules token by token: y [T, H, d], expiry [T], smallest relative gap between a decision's two lowest scores."""
    tokens, heads, _ = q.shape
    group = heads // k.shape[1]
    live = torch.zeros(tokens, dtype=torch.bool)
    expiry, y, gap = torch.full((tokens,), -1), torch.empty_like(q), 1.0
    for t in range(tokens):
        live[t] = True
        weights = softmax_of(torch, q[t], k, live, group)
        y[t] = torch.einsum("ht,thd->hd", weights, v.repeat_interleave(group, 1))
        if live.sum() <= size:
            continue
        scores = torch.arange(tokens, dtype=q.dtype) if by_age else weights.mean(0)
        mean = scores.masked_fill(~live | (torch.arange(tokens) < protect_first), float("inf"))
        low, lowest = mean.topk(2, largest=False)
        gap = min(gap, ((low[1] - low[0]) / low[1]).item())
        live[lowest[0]] = False
        expiry[lowest[0]] = t
    return y, expiry, gap


@pytest.mark.parametrize("batch, kv", [(1, 2), (4, 4)])
def test_tova_attention_over_a_whole_text(torch, batch, kv):
    tokens, heads, d, size = 150, 4, 16, 24
    q, k, v = torch.randn(batch, tokens, heads, d), *(torch.randn(batch, tokens, kv, d) for _ in range(2))
    y, expiry = torch.ops.attnlab.tova_attention(q, k, v, size)
    assert ((expiry == -1).sum(1) == size).all()
    for b in range(batch):
        want_y, want_expiry, gap = bounded_in_double(torch, q[b].double(), k[b].double(), v[b].double(), size)
        assert gap > 1e-5  # else fp32 may decide otherwise
        assert torch.equal(expiry[b], want_expiry)
        close(torch, y[b].double(), want_y)


RULES = [dict(protect_first=first, by_age=by_age) for first in (0, 3) for by_age in (False, True)]


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("rule", RULES)
def test_bounded_text_and_the_same_token_by_token(torch, rule, apart):
    """Padding on either side; heads of a layer deciding together, or each key-value head alone."""
    batch, tokens, heads, kv, d, size = 3, 90, 4, 2, 16, 20
    q, k, v = torch.randn(batch, tokens, heads, d), *(torch.randn(batch, tokens, kv, d) for _ in range(2))
    present = torch.ones(batch, tokens, dtype=torch.bool)
    present[0, :11] = present[1, 70:] = False
    y, expiry = torch.ops.attnlab.bounded_text(q, k, v, size, **rule, apart=apart, present=present)
    lanes = expiry if apart else expiry[:, None]
    assert torch.equal(lanes == -2, ~present[:, None].expand_as(lanes)) and not y[~present].any()

    step_y, step_expiry = read_token_by_token(torch, q, k, v, size, rule, kv if apart else 1, present)
    close(torch, y, step_y)
    assert torch.equal(lanes, step_expiry)

    for b in range(batch):
        column = present[b].nonzero()[:, 0]
        for lane in range(lanes.shape[1]):
            # the lane's key-value heads, and their query heads
            few = slice(lane, lane + 1) if apart else slice(None)
            asking = slice(2 * lane, 2 * lane + 2) if apart else slice(None)
            parts = (x.double() for x in (q[b, column, asking], k[b, column, few], v[b, column, few]))
            want_y, want, gap = bounded_in_double(torch, *parts, size, **rule)
            assert gap > 1e-5
            assert torch.equal(lanes[b, lane, column], torch.where(want < 0, want, column[want]))
            close(torch, y[b, column, asking].double(), want_y)


def read_token_by_token(torch, q, k, v, size, rule, groups, present):
    """bounded_decode_step over a text: y and expiry [B, groups, T]."""
    batch, tokens, kv, d = k.shape
    kept_k, kept_v = (torch.full((batch, kv, size + 1, d), float("nan")) for _ in range(2))
    order, counts = (torch.zeros(batch * groups, n, dtype=torch.long) for n in (size + 1, 3))
    y, expiry = torch.empty_like(q), torch.where(present, -1, -2)[:, None].repeat(1, groups, 1)
    for t in range(tokens):
        y[:, t], dropped = torch.ops.attnlab.bounded_decode_step(
            q[:, t], k[:, t], v[:, t], kept_k, kept_v, order, counts, size, **rule, present=present[:, t]
        )
        for lane, nth in enumerate(dropped.tolist()):
            if nth >= 0:
                b = lane // groups
                expiry[b, lane % groups, present[b].nonzero()[nth, 0]] = t
    assert counts.view(batch, groups, 3)[:, 0, 0].tolist() == present.sum(1).tolist()
    return y, expiry


def test_tova_attention_that_holds_everything_is_causal_attention(torch):
    q, k, v = (torch.randn(2, 40, 3, 8) for _ in range(3))
    y, expiry = torch.ops.attnlab.tova_attention(q, k, v, 40)
    across = lambda t: t.transpose(1, 2)
    want = torch.nn.functional.scaled_dot_product_attention(across(q), across(k), across(v), is_causal=True)
    close(torch, y, across(want))
    assert (expiry == -1).all()


def test_bounded_operators_refuse_what_they_cannot_do(torch):
    ops = torch.ops.attnlab
    q, k = torch.randn(2, 4, 8), torch.randn(2, 3, 19, 8)
    with pytest.raises(RuntimeError, match="3 key-value heads of k do not divide the 4 query heads"):
        ops.bounded_attention_step(q, k, k)
    with pytest.raises(RuntimeError, match=r"expected q \[B, H, d\]"):
        ops.bounded_attention_step(q[0], k, k)
    k = k[:, :2]
    with pytest.raises(RuntimeError, match=r"expected bias \[B, K, S\], not \[19\]"):
        ops.bounded_attention_step(q, k, k, torch.zeros(19))
    with pytest.raises(RuntimeError, match="an extent of 20 is outside the 19 slots"):
        ops.bounded_attention_step(q, k, k, None, torch.full((2, 2), 20))
    with pytest.raises(RuntimeError, match="has no backward"):
        ops.bounded_attention_step(q.requires_grad_(), k, k)
    text = torch.randn(1, 5, 2, 8)
    with pytest.raises(RuntimeError, match="a cache of 0 states holds nothing"):
        ops.tova_attention(text, text, text, 0)
    with pytest.raises(RuntimeError, match="a cache of 2 states cannot protect the first 3"):
        ops.bounded_text(text, text, text, 2, protect_first=3)
    with pytest.raises(RuntimeError, match=r"expected counts \[B, 3\] or \[B·K, 3\]"):
        ops.bounded_decode_step(text[:, 0], text[:, 0], text[:, 0], text, text, text, text[0, 0, 0], 2)
    with pytest.raises(RuntimeError, match="fp32 tensors on the CPU"):
        ops.tova_attention(text.double(), text.double(), text.double(), 2)
