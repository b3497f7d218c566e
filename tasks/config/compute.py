"""Settings of where the folds train: engine, workers, threads, device, limits."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.types import MAX_SLOTS, Float, Int, Section, Text

MAX_TIMEOUT_S = 10**9


class ComputeSpec(Section):
    """Where the folds train. Only threads and device can change a result."""

    engine: Literal["local", "dask", "ray"] = Field("local", description="What runs the folds.")
    address: Text | None = Field(
        None,
        description="host:port of a Dask scheduler or of a Ray head; default a cluster of that "
        "engine on this machine, for the run.",
    )
    workers: Literal["auto"] | Annotated[Int, Field(ge=1, le=MAX_SLOTS)] = Field(
        "auto", description="Worker processes; auto is one per device slot."
    )
    threads: Int = Field(
        1, ge=1, le=MAX_SLOTS, description="TensorFlow and BLAS threads per worker."
    )
    device: Literal["auto", "cpu", "gpu"] = Field("auto", description="auto takes GPUs if any.")
    folds_per_gpu: Int = Field(
        1,
        ge=1,
        le=MAX_SLOTS,
        description="Folds that share a GPU; each gets an equal part of its memory.",
    )
    mixed: bool = Field(
        False,
        description="Take nodes whose numerics differ from this machine's; bits may then differ "
        "by node, which the report says.",
    )
    fold_timeout: Annotated[Float, Field(gt=0, le=MAX_TIMEOUT_S)] | None = Field(
        None, description="Seconds that one try of a fold may take."
    )
    retries: Int = Field(2, ge=0, description="Further tries of a fold whose worker was lost.")
    memory_limit: Annotated[Int, Field(ge=256)] | None = Field(
        None, description="MiB of private memory that a worker may take; null sets no limit."
    )

    @model_validator(mode="after")
    def _settings_have_an_effect(self) -> Self:
        if self.engine == "local" and self.address is not None:
            raise InputError("address", "local has no cluster; set compute.engine to dask or ray")
        if self.engine == "local" and self.mixed:
            raise InputError("mixed", "local has no nodes; set compute.engine to dask or ray")
        if self.device == "cpu" and self.folds_per_gpu > 1:
            raise InputError("folds_per_gpu", "no GPU is used; set compute.device to gpu or auto")
        return self
