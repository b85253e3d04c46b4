"""Runs a module under the profiler: `python -m bench.profiled OUT MODULE ARGUMENT...`.

Every thread has its own profiler, counting its own processor time (waiting costs nothing); all are merged into OUT
when the module returns, so the process must be ended in a way that it can answer (SIGTERM to `serai up`).
"""

from __future__ import annotations

import cProfile
import pstats
import runpy
import sys
import threading
import time


def run(out: str, module: str) -> None:
    """Run `module` as the main program and write the merged profile to the file `out`."""
    profiles: list[cProfile.Profile] = []
    plain = threading.Thread.run

    def profiled(thread: threading.Thread) -> None:
        mine = cProfile.Profile(time.thread_time)
        try:
            mine.enable()
        except ValueError:  # from Python 3.12 on the first profiler sees every thread and is the only one
            plain(thread)
            return
        profiles.append(mine)
        try:
            plain(thread)
        finally:
            mine.disable()

    threading.Thread.run = profiled  # type: ignore[method-assign, assignment]
    main = cProfile.Profile(time.thread_time)
    main.enable()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        main.disable()
        stats = pstats.Stats(main)
        for each in profiles:
            if each.getstats():
                stats.add(each)
        stats.dump_stats(out)


if __name__ == "__main__":
    _, target, name, *rest = sys.argv
    sys.argv = [name, *rest]
    run(target, name)
