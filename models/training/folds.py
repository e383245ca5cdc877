"""Folds for cross-validation that keep what belongs together in one of them."""

import numpy as np
import torch
from torch import Tensor


def group_folds(groups: Tensor, folds: int, seed: int) -> Tensor:
    """The fold of each row, (rows,); rows of one group share one, group sizes are spread evenly.

    Posts that share a text or an image are near copies: apart, one would give the other away.
    """
    names, members = np.unique(groups.numpy(), return_inverse=True)
    sizes = np.bincount(members)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of, filled = np.zeros(len(names), dtype=np.int64), np.zeros(folds, dtype=np.int64)
    for name in order:
        fold_of[name] = int(filled.argmin())
        filled[fold_of[name]] += sizes[name]
    return torch.from_numpy(fold_of[members])
