"""The cost of starting: importing the package, and the first request of a process.

Reference: starting the interpreter, and setting up Django without this app.
"""

import statistics
import subprocess
import sys
import time

from benchmarks.host import show, verdict

IMPORT = "import time; t = time.perf_counter(); import {}; print((time.perf_counter() - t) * 1000)"
SETUP = """
import os, time
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from django.conf import settings
{without}
import django
t = time.perf_counter()
django.setup()
print((time.perf_counter() - t) * 1000)
"""
WITHOUT = "settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != 'stapel_agent']"
FIRST = """
import os, time
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from stapel_core.comm import call
from stapel_agent.testing import scripted_provider
def ask():
    t = time.perf_counter()
    call("llm.complete", {"prompt": "p", "model": "small"})
    return (time.perf_counter() - t) * 1000
with scripted_provider("{}"):
    first = ask()
    print(first - ask())
"""


def printed(program: str, runs: int = 7) -> float:
    """The median of what `program` prints."""
    outputs = [
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
        for _ in range(runs)
    ]
    return statistics.median(outputs)


def interpreter() -> float:
    times = []
    for _ in range(7):
        started_at = time.perf_counter()
        subprocess.run([sys.executable, "-c", ""], check=True)
        times.append((time.perf_counter() - started_at) * 1000)
    return statistics.median(times)


def main() -> None:
    print("\nimports")
    start, package, provider = (
        interpreter(),
        *(printed(IMPORT.format(name)) for name in ("stapel_agent", "stapel_agent.providers.base")),
    )
    without, whole = printed(SETUP.format(without=WITHOUT), 3), printed(SETUP.format(without=""), 3)
    show("starting the interpreter (reference)", start)
    show("import stapel_agent", package, note=f"= {package / start:.2f}x the interpreter")
    show("import stapel_agent.providers.base (LlmProvider)", provider)
    show("django.setup() without this app (reference)", without)
    show("django.setup() with it", whole, note=f"= {whole / without:.2f}x")
    show("first request of a process, over the second", printed(FIRST, 3))
    verdict("import in single-digit milliseconds", package < 10)


if __name__ == "__main__":
    main()
