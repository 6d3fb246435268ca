"""Whether a critic's number follows the exact distance over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["rank_correlation"]

FEWEST_MEASUREMENTS = 3  # that make a correlation


def rank_correlation(records: Sequence[Mapping[str, Any]]) -> float | None:
    """Spearman's rank correlation of the critic's estimate and the exact distance over a run.

    Parameters
    ----------
    records : sequence of mappings
        Of a log; those of kind "monitor" that have a critic's number count, but for step 0, at which the critic has not
        learnt anything.

    Returns
    -------
    float or None
        None for fewer than three measurements, or where one of the two never changed.

    Examples
    --------
    >>> records = [{"kind": "monitor", "critic": c, "exact": w} for c, w in [(3, 9), (2, 5), (1, 4)]]
    >>> rank_correlation(records)
    1.0
    """
    from scipy.stats import spearmanr

    measured = [record for record in records if record["kind"] == "monitor" and record.get("step") != 0]
    pairs = np.array([(float(r["critic"]), float(r["exact"])) for r in measured if r.get("critic") is not None])
    if len(pairs) < FEWEST_MEASUREMENTS or not np.isfinite(pairs).all() or (np.ptp(pairs, axis=0) == 0).any():
        return None
    correlation: Any = spearmanr(pairs[:, 0], pairs[:, 1])
    return round(float(correlation.statistic), 12)
