"""What is used of `multiprocessing` beyond its documented API is still there."""

import platform
from multiprocessing import context, forkserver, popen_forkserver, reduction, spawn, util

from foldproof.tasks.workers import multiprocessing_internals as internals
from tests.support.contracts import missing


def expect(gone: list[str]) -> None:
    text = f"Python {platform.python_version()} has no {', '.join(gone)}; {internals.__name__}"
    assert not gone, f"{text} was read from {internals.READ_FROM}: read it again"


def test_a_fork_server_has_the_private_names_that_are_used():
    expect(missing(forkserver.ForkServer, "_stop", "connect_to_new_process", "ensure_running"))
    expect(missing(forkserver.ForkServer(), "_forkserver_pid"))
    expect(missing(forkserver, "read_signed"))


def test_a_process_is_launched_by_the_private_names_that_are_used():
    expect(missing(popen_forkserver.Popen, "_launch", "DupFd"))
    expect(missing(context.ForkServerProcess, "_Popen"))
    expect(
        [
            *missing(context, "set_spawning_popen"),
            *missing(reduction, "dump"),
            *missing(spawn, "get_preparation_data"),
            *missing(util, "Finalize"),
        ]
    )


def test_the_preparation_names_what_is_left_out():
    prepared = spawn.get_preparation_data("name")
    gone = {"sys_path", "sys_argv"} - prepared.keys()
    expect([f"{name!r} in a preparation" for name in gone])
    assert {name for name in prepared if name.startswith("init_main")} <= set(internals.LEFT_OUT)


def test_a_server_that_does_not_run_can_be_killed():
    from contextlib import nullcontext

    internals.PrivateForkServer(nullcontext).kill()
