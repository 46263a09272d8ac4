"""`python -m benchmarks [NAME ...]`: run every module's `run()` and print one table."""

import importlib
import os
import pkgutil
import platform
import sys
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.ratio import Ratio

NOT_BENCHMARKS = {"__main__", "history", "installation", "ratio", "servers", "signing_in"}


def main(names: list[str]) -> int:
    """Exit status 1 when a goal was missed."""
    modules = sorted({each.name for each in pkgutil.iter_modules(benchmarks.__path__)})
    chosen = names or [name for name in modules if name not in NOT_BENCHMARKS]
    console = Console()
    every_goal_met = True
    for name in chosen:
        console.print(f"measuring {name} ...", style="dim")
        ratios = importlib.import_module(f"benchmarks.{name}").run()
        # At once: what comes after may fail, or be interrupted after minutes.
        console.print(table_of(ratios))
        every_goal_met &= all(ratio.is_met for ratio in ratios)
    console.print(machine())
    return 0 if every_goal_met else 1


def table_of(ratios: list[Ratio]) -> Table:
    """One row a ratio, with its goal and whether it was met."""
    table = Table("what", "ours", "beside", "unit", "ratio", "goal", "met")
    for each in ratios:
        figures = f"{each.ours:,.4g}", f"{each.baseline:,.4g}"
        verdict = "yes" if each.is_met else "NO"
        table.add_row(
            each.name, *figures, each.unit, f"{each.ratio:.2f}", f"{each.goal:g}", verdict
        )
    return table


def machine() -> str:
    """What the figures come from; without it they mean little."""
    memory_gigabytes = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    return (
        f"{_processor()}, {psutil.cpu_count()} CPUs, {memory_gigabytes:.0f} GB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"load {load:.1f} at the end"
    )


def _processor() -> str:
    """The model's name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
