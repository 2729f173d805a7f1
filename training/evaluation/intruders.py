"""Intruder dimensions (Shuttleworth et al. 2024): directions that an adapter brings in and the base hardly knows.

A weight W0 of the base becomes W = W0 + D. A left singular vector of W, among its k largest, is an intruder when no
left singular vector of W0 has a cosine of `EPSILON` or more with it. Their number is no measure of quality; what they
cost is read off the forgetting on other languages. Scaling them down by a factor gives back some of it:

    W + (factor - 1) sum over intruders of s_i u_i v_i'

and since D = s B A, that is an adapter again, exactly: B' = [s B | (factor - 1) U_I S_I], A' = [A ; V_I'], scaling one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from scipy.linalg import eigh
from torch import Tensor

TOP = 10
EPSILON = 0.5


@dataclass(frozen=True)
class Found:
    """The intruders of one weight, float32 on the CPU."""

    left: Tensor
    """(rows, intruders)"""
    values: Tensor
    """(intruders,) singular values of W"""
    right: Tensor
    """(columns, intruders)"""
    top_energy: float
    """Sum of the squares of the k largest singular values of W."""

    @property
    def count(self) -> int:
        """How many."""
        return len(self.values)

    @property
    def energy(self) -> float:
        """Their share of the k largest directions' energy."""
        return float((self.values**2).sum()) / self.top_energy if self.top_energy else 0.0


@torch.no_grad()
def find_intruders(weight: Tensor, delta: Tensor, basis: Tensor, *, top: int = TOP, epsilon: float = EPSILON) -> Found:
    """The intruders of weight + delta, both (rows, columns); `basis` are the left singular vectors of the weight."""
    changed = (weight + delta).float()
    u, s, v = largest(changed, top)
    alike = (basis.T @ u).abs().amax(dim=0)
    new = alike < epsilon
    return Found(u[:, new], s[new], v[:, new], float((s**2).sum()))


@torch.no_grad()
def largest(matrix: Tensor, top: int) -> tuple[Tensor, Tensor, Tensor]:
    """The largest singular triplets, float32, (rows, k), (k,) and (columns, k).

    By the eigenvectors of the smaller of M M' and M' M, in float64 because squaring halves the digits. A randomised
    decomposition would be faster, and wrong where the largest values lie close together, as those of weights do.
    """
    wide = matrix.double() if matrix.shape[0] <= matrix.shape[1] else matrix.double().T
    size = len(wide)
    # Of all eigenvectors only these, which takes half the time.
    squares, found = eigh((wide @ wide.T).cpu().numpy(), subset_by_index=[size - min(top, size), size - 1])
    left = torch.from_numpy(found).to(wide).flip(1)
    values = torch.from_numpy(squares).to(wide).flip(0).clamp(min=0).sqrt()
    # The smallest of a matrix of low rank is zero, and has any direction.
    right = wide.T @ left / values.clamp(min=torch.finfo(torch.float32).tiny)
    if wide.shape != matrix.shape:
        left, right = right, left
    return left.float(), values.float(), right.float()


@torch.no_grad()
def basis_of(weight: Tensor) -> Tensor:
    """The left singular vectors of a weight, (rows, min(rows, columns)); the costly part, and the base's alone."""
    u: Tensor = torch.linalg.svd(weight.float(), full_matrices=False)[0]
    return u


@torch.no_grad()
def mitigated(a: Tensor, b: Tensor, scaling: float, found: Found, factor: float) -> tuple[Tensor, Tensor]:
    """A (rank + m, columns) and B (rows, rank + m) of the adapter whose m intruders are scaled; its scaling is one."""
    more = found.left * (found.values * (factor - 1))
    return torch.cat([a, found.right.T.to(a.dtype)]), torch.cat([b * scaling, more.to(b.dtype)], dim=1)


def summary(found: Sequence[Found]) -> dict[str, Any]:
    """How many intruders there are in how many weights, and what share of the large directions' energy is theirs."""
    energy = sum(float((one.values**2).sum()) for one in found)
    whole = sum(one.top_energy for one in found)
    return {
        "weights": len(found),
        "looked_at": TOP * len(found),
        "intruders": sum(one.count for one in found),
        "weights_with_some": sum(one.count > 0 for one in found),
        "energy_share": energy / whole if whole else 0.0,
        "epsilon": EPSILON,
    }
