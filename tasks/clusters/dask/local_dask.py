"""Run a Dask scheduler and one worker until standard input ends: `local_dask SLOTS`.

Dask's own LocalCluster starts its processes with the user's main module, which would run a
script without a main guard once more.
"""

import asyncio
import sys


async def serve(slots: int) -> None:
    """Start both, print the scheduler's address, and end with standard input."""
    from distributed import Nanny, Scheduler

    quiet = {"dashboard_address": None, "dashboard": False}
    async with Scheduler(host="127.0.0.1", port=0, **quiet) as scheduler:
        declared = {"fold": float(slots), "GPU": float(slots)}
        async with Nanny(
            scheduler.address,
            nthreads=slots + 1,  # one beside the folds, for the calls in between
            resources=declared,
            host="127.0.0.1",
            memory_limit=None,
            dashboard=False,
        ):
            print(scheduler.address, flush=True)
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
