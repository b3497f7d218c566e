"""Write the files beside this one, with polars and fastparquet, which the tests do without.

In an environment of its own: `pip install polars==2.1.0 fastparquet==2026.9.0 pandas
pyarrow scikit-learn`, then `python make.py`.
"""

from pathlib import Path

import fastparquet
import pandas as pd
import polars as pl
from sklearn import datasets

HERE = Path(__file__).parent


def frame(name: str) -> pd.DataFrame:
    """Return a bundled data set as foldproof has it, with labels where it has them."""
    if name == "blobs":
        X, y = datasets.make_blobs(n_samples=100, centers=2, n_features=10, random_state=1)
        return pd.DataFrame(X, columns=[f"x{i}" for i in range(10)]).assign(target=y)
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    table = bunch.frame.copy()
    if name in ("breast_cancer", "iris", "wine"):
        table["target"] = bunch.target_names[table["target"]]
    return table


def main() -> None:
    """Write each small set in the forms that differ in kind."""
    for name in ("iris", "blobs"):
        ours = pl.from_pandas(frame(name))
        ours.write_csv(HERE / f"polars-{name}.csv")
        ours.write_parquet(HERE / f"polars-{name}.parquet")
    pl.from_pandas(frame("wine")).write_parquet(HERE / "polars-wine.parquet")
    iris, label = frame("iris"), pl.col("target")
    plain = pl.from_pandas(iris)
    plain.write_csv(HERE / "polars-quoted-iris.csv", separator=";", quote_style="non_numeric")
    enum = plain.with_columns(label.cast(pl.Enum(sorted(iris["target"].unique()))))
    enum.write_parquet(HERE / "polars-enum-iris.parquet", compression="lz4", row_group_size=50)
    category = plain.with_columns(label.cast(pl.Categorical))
    category.write_parquet(HERE / "polars-category-iris.parquet", compression="snappy")
    fastparquet.write(str(HERE / "fastparquet-iris.parquet"), iris)
    coded = iris.astype({"target": "category"})
    fastparquet.write(str(HERE / "fastparquet-category-iris.parquet"), coded, compression="GZIP")
    blobs = frame("blobs").astype({"target": "Int64"})
    fastparquet.write(str(HERE / "fastparquet-nullable-blobs.parquet"), blobs, write_index=False)


if __name__ == "__main__":
    main()
