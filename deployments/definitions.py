"""The deployments as `prefect.yaml` defines them, for Python."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict

from foldproof.tasks.common.places import ROOT

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

PREFECT_FILE = Path(__file__).with_name("prefect.yaml")


class ScheduleSpec(BaseModel):
    """When a deployment starts by itself.

    Attributes:
        cron: minute, hour, day, month, weekday.
        timezone: the clock that they are read by.
        slug: its name, by which a later registration finds it again.
        active: whether it counts.
        parameters: those of its runs, where they differ from the deployment's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str
    timezone: str
    slug: str
    active: bool
    parameters: dict[str, Any] = {}


class PoolSpec(BaseModel):
    """The work pool of a deployment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str


class LimitSpec(BaseModel):
    """How many runs of a deployment there may be at a time, and what becomes of another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int
    collision_strategy: str


class Definition(BaseModel):
    """One deployment of `prefect.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    entrypoint: str
    description: str
    tags: list[str]
    parameters: dict[str, Any] = {}
    schedules: list[ScheduleSpec] = []
    concurrency_limit: LimitSpec
    enforce_parameter_schema: bool
    work_pool: PoolSpec

    def served(self) -> "RunnerDeployment":
        """Return it for `serve`, which needs no work pool.

        Runs then start in the folder that `serve` was called in.
        """
        from prefect.client.schemas.objects import ConcurrencyLimitConfig
        from prefect.flows import load_flow_from_entrypoint
        from prefect.schedules import Cron
        from prefect.types.entrypoint import EntrypointType

        file, _, function = self.entrypoint.partition(":")
        module = file.removesuffix(".py").replace("/", ".")
        flow: Any = load_flow_from_entrypoint(f"{module}.{function}", use_placeholder_flow=False)
        schedules = [
            Cron(
                each.cron,
                timezone=each.timezone,
                slug=each.slug,
                active=each.active,
                parameters=each.parameters,
            )
            for each in self.schedules
        ]
        made: RunnerDeployment = flow.to_deployment(
            self.name,
            description=self.description,
            tags=self.tags,
            parameters=self.parameters,
            schedules=schedules,
            concurrency_limit=ConcurrencyLimitConfig(**self.concurrency_limit.model_dump()),
            enforce_parameter_schema=self.enforce_parameter_schema,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        return made


@cache
def definitions() -> tuple[Definition, ...]:
    """Read the deployments."""
    listed = yaml.safe_load(PREFECT_FILE.read_text(encoding="utf-8"))["deployments"]
    return tuple(Definition.model_validate(each) for each in listed)


def placed(pools: Sequence[str], folder: Path | None) -> str:
    """Return a prefect.yaml of some of the deployments.

    Args:
        pools: their work pools; default: all.
        folder: where runs start; default: where it is registered from.
    """
    content = yaml.safe_load(PREFECT_FILE.read_text(encoding="utf-8"))
    kept = [each for each in content["deployments"] if each["work_pool"]["name"] in pools]
    content["deployments"] = kept if pools else content["deployments"]
    if folder is not None:
        start = {"prefect.deployments.steps.set_working_directory": {"directory": str(folder)}}
        content["pull"] = [start]
        for each in content["deployments"]:
            each["entrypoint"] = str(ROOT / each["entrypoint"])
    return str(yaml.safe_dump(content, sort_keys=False))


def work_pools() -> tuple[str, ...]:
    """Return the names of the work pools that the deployments use."""
    return tuple(dict.fromkeys(each.work_pool.name for each in definitions()))
