"""Means and medians of many small groups at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Samples of equal key, in order of the keys.

    Attributes
    ----------
    key : ndarray of int, shape (n,)
        Key of each sample.
    order : ndarray of int, shape (n,)
        Brings the samples of a group together.
    first, count : ndarray of int, shape (groups,)
        Where each group starts in that order, and its size.
    """

    key: Ints
    order: Ints
    first: Ints
    count: Ints

    @classmethod
    def by(cls, key: Ints) -> Groups:
        """Group n > 0 samples by an integer key."""
        order = np.argsort(key, kind="stable")
        first = np.flatnonzero(np.r_[True, np.diff(key[order]) != 0])
        return cls(key, order, first, np.diff(np.r_[first, len(key)]))

    @property
    def names(self) -> Ints:
        """Key of each group."""
        return self.key[self.order[self.first]]

    @property
    def member(self) -> Ints:
        """Index of the group of each sample, shape (n,)."""
        member = np.empty(len(self.key), dtype=np.int64)
        member[self.order] = np.repeat(np.arange(len(self.first)), self.count)
        return member

    def mean(self, values: Floats) -> Floats:
        """Mean of each group."""
        return np.add.reduceat(values[self.order], self.first) / self.count

    def median(self, values: Floats) -> Floats:
        """Median of each group."""
        ordered = values[np.lexsort((values, self.key))]
        below, above = self.first + (self.count - 1) // 2, self.first + self.count // 2
        return ordered[below] / 2 + ordered[above] / 2
