"""The Hessian's largest eigenvalues, against matrices and models whose own are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import viz3d
from viz3d.record.landscape.hessian import lanczos
from viz3d.train.model import GPT, GPTConfig

torch.set_num_threads(1)  # the cores are shared by several workers


class Form(nn.Module):
    """Half of w A w for a given symmetric A; half of the weights, in float32, in each tensor."""

    def __init__(self, matrix):
        super().__init__()
        n = len(matrix) // 2
        torch.manual_seed(0)
        self.first = nn.Parameter(torch.randn(n, 1))
        self.second = nn.Parameter(torch.randn(n, 1))
        self.matrix = torch.from_numpy(matrix).float()

    def forward(self):
        """Return the loss."""
        w = torch.cat([self.first, self.second]).flatten()
        return 0.5 * w @ self.matrix @ w


def symmetric(values):
    """Return a matrix with these eigenvalues and random eigenvectors."""
    q = np.linalg.qr(np.random.default_rng(0).normal(size=(len(values),) * 2))[0]
    return (q * values) @ q.T


def test_eigenvalues_of_a_known_quadratic():
    """Of 60 the three largest, not the largest in magnitude; twice the loss is twice of each."""
    values = np.concatenate([[30.0, 20.0, 15.0], np.linspace(-2, 10, 56), [-50.0]])
    model = Form(symmetric(values))
    batches = [torch.ones(3), torch.full((1,), 5.0)]  # over samples the mean is 2, over batches 3
    found = viz3d.landscape(model, lambda m, b: m() * b, batches, points=3, eigenvalues=3)
    assert found.eigenvalues == pytest.approx([60, 40, 30], rel=1e-3)
    assert (found.eigenvalue_residuals < 0.05).all()


def test_the_residual_bounds_the_error():
    """Cut short, an eigenvalue is off by no more than its residual says."""
    values = np.linspace(0, 1, 300)
    matrix = torch.from_numpy(symmetric(values))
    first = torch.randn(300, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = lanczos(lambda v: matrix @ v, first, 4)
    for value, residual in zip(found.values, found.residuals, strict=True):
        assert np.abs(values - value).min() <= residual
    assert found.residuals[3] > 1e-6  # it was cut short


def test_a_network_with_attention_gives_the_dense_hessians():
    """The fused kernels of attention have no second derivative; the plain one is used."""
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocabulary=5, context=4, depth=1, width=4, heads=2)).double()
    tokens = torch.randint(5, (6, 4), generator=torch.Generator().manual_seed(1))

    def entropy(model, batch):
        logits = model(batch).transpose(1, 2)
        return functional.cross_entropy(logits, batch, reduction="none").mean(1)

    found = viz3d.landscape(model, entropy, [tokens[:4], tokens[4:]], points=3, eigenvalues=2)
    shapes = {name: p.shape for name, p in model.named_parameters()}

    def flat(vector):
        parts = vector.split([shape.numel() for shape in shapes.values()])
        named = {n: p.view(s) for (n, s), p in zip(shapes.items(), parts, strict=True)}
        return entropy(lambda x: torch.func.functional_call(model, named, (x,)), tokens).mean()

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        at = torch.cat([p.detach().flatten() for p in model.parameters()])
        dense = torch.autograd.functional.hessian(flat, at)
    expected = torch.linalg.eigvalsh(dense).flip(0)[:2].numpy()
    assert found.eigenvalues == pytest.approx(expected, rel=1e-3)


def test_a_loss_without_curvature_or_derivatives_keeps_its_grid(caplog):
    """A linear loss has eigenvalue 0; one that cannot be differentiated has none, and says so."""
    model = nn.Linear(3, 2)
    x = torch.ones(4, 3)
    flat = viz3d.landscape(model, lambda m, b: m(b).sum(1), [x], points=3, eigenvalues=1)
    assert flat.eigenvalues.tolist() == [0]
    cut = viz3d.landscape(model, lambda m, b: m(b).sum(1).detach(), [x], points=3, eigenvalues=1)
    assert cut.eigenvalues is None
    assert np.isfinite(cut.values["loss"]).all()
    assert "eigenvalues were not found" in cut.meta["problems"][0]
    assert "eigenvalues were not found" in caplog.text


def test_frozen_models_are_measured_and_stay_frozen():
    """A model loaded for evaluation alone has a landscape too."""
    model = Form(symmetric(np.arange(1.0, 7.0))).requires_grad_(False)
    found = viz3d.landscape(model, lambda m, _: m(), [0], points=3, eigenvalues=1)
    assert found.eigenvalues == pytest.approx([6], rel=1e-4)
    assert not any(p.requires_grad for p in model.parameters())


def test_integers_of_a_frozen_model_are_no_weights():
    """Directions move none of them, and are those of the model without them."""
    plain, table = (Form(symmetric(np.arange(1.0, 7.0))).requires_grad_(False) for _ in range(2))
    table.table = nn.Parameter(torch.arange(6).reshape(2, 3), requires_grad=False)
    grids = [viz3d.landscape(m, lambda m, _: m(), [0], points=3) for m in (plain, table)]
    assert grids[0].values["loss"].tolist() == grids[1].values["loss"].tolist()
    assert grids[0].meta["ignored"] == grids[1].meta["ignored"]
