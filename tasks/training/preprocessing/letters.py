"""Texts as a few numbers: which letters they share, in the directions in which they differ most."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

MAX_NUMBERS = 30  # that stand for a text
IN_A_ROW = (3, 4)  # letters that are counted together


class Letters(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """TF-IDF of letters in a row, and where there are many of these a truncated SVD of that.

    Attributes:
        width_: how many numbers stand for a text, once it is fitted.
    """

    def __init__(self, seed: int = 0) -> None:
        """Take the seed of the SVD."""
        self.seed = seed

    def fit(self, texts: Any, y: Any = None) -> "Letters":
        """Learn from texts, (n,)."""
        self.counts_ = TfidfVectorizer(analyzer="char_wb", ngram_range=IN_A_ROW)
        self.directions_ = None
        try:
            counted = self.counts_.fit_transform(texts)
        except ValueError:  # nothing but blanks
            self.width_ = 0
            return self
        self.width_ = min(MAX_NUMBERS, counted.shape[1])
        if self.width_ < counted.shape[1]:
            directions = TruncatedSVD(self.width_, random_state=self.seed)
            self.directions_ = directions.fit(counted)
        return self

    def transform(self, texts: Any) -> NDArray[np.float64]:
        """Return the numbers of texts, (n, width_)."""
        if not self.width_:
            return np.zeros((len(texts), 0))
        counted = self.counts_.transform(texts)
        found = (
            counted.toarray() if self.directions_ is None else self.directions_.transform(counted)
        )
        return np.asarray(found)
