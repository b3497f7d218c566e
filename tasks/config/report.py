"""Settings of the report: what is computed from the finished folds; no fold depends on them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from foldproof.tasks.config.types import Float, Section, listed

INTERVALS = Literal[
    "auto",
    "bootstrap",
    "clopper_pearson",
    "corrected_t",
    "cvauc",
    "cvauc_clipped",
    "delong",
    "wald",
    "wilson",
]


class ReportSpec(Section):
    """What the report says of the folds."""

    level: Float = Field(0.95, ge=0.5, lt=1, description="The level of all intervals.")
    intervals: INTERVALS = Field(
        "auto",
        description="The interval method, taken wherever its conditions hold; elsewhere, and with "
        "auto, the default of the metric and the split. See docs/statistics.md.",
    )
    rope: Annotated[Float, Field(ge=0)] | None = Field(
        None,
        description="compare: the difference that is practically none; null is 0.01 for metrics "
        "within [0, 1], and no Bayesian test for others.",
    )
    ignore: Annotated[
        list[Annotated[str, Field(pattern=r"^FP[1-9]\d\d$")]], BeforeValidator(listed)
    ] = Field([], description="Codes of findings that are not told, such as FP107.")
