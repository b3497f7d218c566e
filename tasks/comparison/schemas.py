"""The schemas of the comparison's tables: names, types and descriptions of the columns."""

import pyarrow as pa

from foldproof.tasks.evaluation.schemas import described_schema


def models_schema() -> pa.Schema:
    """Return the schema of models.parquet: one row a metric and model."""
    return described_schema(
        [
            ("metric", pa.string(), "The metric."),
            ("greater_is_better", pa.bool_(), "Whether its greater values are the better ones."),
            ("number", pa.int16(), "The model's place in the comparison, from 1."),
            ("model", pa.string(), "The builder, and what tells it from others of its kind."),
            ("run_id", pa.string(), "The model's run."),
            ("n_folds", pa.int32(), "Folds in which the metric has a value."),
            ("n_planned", pa.int32(), "Folds that were planned."),
            ("n_failed", pa.int32(), "Folds that failed."),
            ("mean", pa.float64(), "Mean over the folds that have a value."),
            ("std", pa.float64(), "Standard deviation over those folds (ddof 1); descriptive."),
            ("ci_low", pa.float64(), "Lower bound of the confidence interval."),
            ("ci_high", pa.float64(), "Upper bound of the confidence interval."),
            ("ci_method", pa.string(), "The interval's method, or why there is none."),
            ("pooled", pa.float64(), "The metric on all test rows at once, mean over repeats."),
            ("estimate", pa.string(), "What the interval is around: mean, or pooled."),
            (
                "probability_best",
                pa.float64(),
                "Share of draws of rows in which its pooled value is the best, ties divided.",
            ),
            ("rank", pa.int32(), "By the mean, from 1, among models that cover the same folds."),
            ("note", pa.string(), "Why the model is not ranked."),
        ]
    )


def pairs_schema() -> pa.Schema:
    """Return the schema of comparison.parquet: one row a metric, pair and method."""
    return described_schema(
        [
            ("metric", pa.string(), "The metric; models.parquet says which values are better."),
            ("first_number", pa.int16(), "The first model's place in the comparison."),
            ("second_number", pa.int16(), "The second model's place in the comparison."),
            ("first", pa.string(), "The first model."),
            ("second", pa.string(), "The second model."),
            ("first_run_id", pa.string(), "The first model's run."),
            ("second_run_id", pa.string(), "The second model's run."),
            ("method", pa.string(), "The test, or why there is none."),
            ("j", pa.int32(), "Folds whose differences were looked at."),
            ("n_train", pa.float64(), "Training rows of a fold, in the mean."),
            ("n_test", pa.float64(), "Test rows of a fold, in the mean."),
            (
                "difference",
                pa.float64(),
                "First minus second: of the means over folds, or of "
                "the pooled values where the method pools.",
            ),
            ("ci_low", pa.float64(), "Lower bound of the difference's interval, at report.level."),
            ("ci_high", pa.float64(), "Upper bound of the difference's interval."),
            ("statistic", pa.float64(), "The test's statistic: t, F or z."),
            ("p", pa.float64(), "Two-sided p-value."),
            ("p_adjusted", pa.float64(), "Holm's adjusted p-value within the family."),
            ("probability_first", pa.float64(), "That the first is better, by more than the rope."),
            (
                "probability_equal",
                pa.float64(),
                "That they are practically equal: within the rope.",
            ),
            ("probability_second", pa.float64(), "That the second is better, by more than it."),
            ("family", pa.string(), "The tests that it was adjusted for."),
            ("note", pa.string(), "What a reader must know of this test."),
        ]
    )
