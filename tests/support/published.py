"""Published numbers that more than one test compares with."""

import numpy as np

# correctR 0.3.1, vignette: two models' scores on the same 30 resamples of 80 and 20 rows
X = (
    "0.543952 0.576982 0.755871 0.607051 0.612929 0.771506 0.646092 0.473494 0.531315 0.555434 "
    "0.722408 0.635981 0.640077 0.611068 0.544416 0.778691 0.649785 0.403338 0.670136 0.552721 "
    "0.493218 0.578203 0.497400 0.527111 0.537496 0.431331 0.683779 0.615337 0.486186 0.725381"
)
Y = (
    "0.442646 0.370493 0.489513 0.487813 0.482158 0.468864 0.455392 0.393809 0.369404 0.361953 "
    "0.330529 0.379208 0.273460 0.616896 0.520796 0.287689 0.359712 0.353334 0.477997 0.391663 "
    "0.425332 0.397145 0.395713 0.536860 0.377423 0.551647 0.245125 0.458461 0.412385 0.421594"
)


def with_moments(mean, variance, count):
    """Return values of an exact mean and variance (ddof 1), half above and half below."""
    distance = np.sqrt(variance * (count - 1) / count)
    return mean + distance * np.tile([1.0, -1.0], count // 2)
