"""The capacity of one process and the cost of a row, on PostgreSQL: the figures in docs/scaling.md.

python -m benchmarks.scaling

References: the same requests without this package, one caller alone, and the table with its primary key only.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import row_costs
from benchmarks.markdown import head, line
from benchmarks.simulated_and_real import members, over_nats
from benchmarks.simulation import Call
from benchmarks.waiting import CLIENTS, COMPLETE, load, resident_kilobytes, served, watched_load
from tests.__main__ import SERVICES
from tests.engine_fixtures import answer
from tests.hosts import Host, Server, own_database
from tests.preloaded import Process
from tests.scripted_server import Reply, Request, ScriptedServer

CALLS, CALLERS = 800, 8
WAIT_SECONDS = 8.0
THREADS = 30
"""Each holds a connection, of a hundred that PostgreSQL allows by default."""
NATS_CALLERS, NATS_SECONDS = 6, 0.5

IN_THREADS = """
import httpx, queue
from concurrent.futures import ThreadPoolExecutor
body = json.dumps({{"model": "m", "messages": [{{"role": "user", "content": "what?"}}]}})
client = httpx.Client()
def bare(number):
    client.post("{url}/chat/completions", content=body, headers={{"Content-Type": "application/json"}}).json()
def call(number):
    assert services.complete(f"what {{number}}?", "small", user_id=f"user-{{number}}")["status"] == "ok"
def measured(work, calls):
    with ThreadPoolExecutor({callers}) as pool:
        list(pool.map(work, range(-{callers}, 0)))
        started_at, cpu = time.perf_counter(), time.process_time()
        list(pool.map(work, range(calls)))
        return calls / (time.perf_counter() - started_at), (time.process_time() - cpu) / calls
say([measured(bare, {calls}), measured(call, {calls})])
sys.stdin.readline()
"""

ON_A_LOOP = """
import httpx
body = json.dumps({{"model": "m", "messages": [{{"role": "user", "content": "what?"}}]}})
async def measured(work, calls):
    left = iter(range(calls))
    async def caller():
        for number in left:
            await work(number)
    await work(-1)
    started_at, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range({callers})))
    return calls / (time.perf_counter() - started_at), (time.process_time() - cpu) / calls
async def call(number):
    assert (await services.acomplete(f"what {{number}}?", "small"))["status"] == "ok"
async def main():
    async with httpx.AsyncClient() as client:
        async def bare(number):
            await client.post("{url}/chat/completions", content=body, headers={{"Content-Type": "application/json"}})
        return await measured(bare, {calls}), await measured(call, {calls})
say(asyncio.run(main()))
sys.stdin.readline()
"""

WAIT_ON_A_LOOP = """
async def main():
    await services.acomplete("first", "small")
    say("ready")
    sys.stdin.readline()
    await asyncio.gather(*(services.acomplete(f"what {{number}}?", "small") for number in range({waiting})))
asyncio.run(main())
"""

WAIT_IN_THREADS = """
services.complete("first", "small")
say("ready")
sys.stdin.readline()
threads = [threading.Thread(target=services.complete, args=(f"what {{number}}?", "small"))
           for number in range({waiting})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


class Model(ScriptedServer):
    """A provider that takes `seconds`, and keeps no requests."""

    seconds = 0.0

    def reply_to(self, request: Request) -> Reply:
        time.sleep(self.seconds)
        return self.replies[0]


@dataclass(frozen=True)
class Rate:
    """Calls per second, and processor seconds per call."""

    calls: float
    cpu: float


def one_process(server: Server, model: Model) -> None:
    for name, script in (("threads", IN_THREADS), ("tasks on a loop", ON_A_LOOP)):
        bare, calls, held, database = rates(server, model, script)
        line(f"calls a second, {CALLERS} {name}", calls.calls, calls.calls / bare.calls, "httpx alone")
        line(f"processor time of a call, {name}, ms", calls.cpu * 1000, calls.cpu / bare.cpu, "httpx alone")
        line(f"the database's of a call, {name}, ms", database * 1000, database / calls.cpu, "the process's")
        line(f"connections to the database, {CALLERS} {name}", held, held / CALLERS, "callers")


def rates(server: Server, model: Model, script: str, **agent: Any) -> tuple[Rate, Rate, int, float]:
    """httpx alone, and calls; then the connections held, and the database's processor seconds per call."""
    host = Host(server, {"OPENAI_COMPAT_BASE_URL": model.url, "CACHE_LOOKUP": {}, **agent})
    process = host.start(script.format(url=model.url, calls=CALLS, callers=CALLERS))
    bare, calls = (Rate(*figures) for figures in json.loads(_line(process)))
    held, database = server.connections(), sessions_seconds(server) / CALLS
    host.stop()
    return bare, calls, held, database


def budgets(server: Server, model: Model) -> None:
    """The cost of booking many users' calls in separate accounts, or all in one."""
    without = rates(server, model, IN_THREADS)[1]
    for scope in ("user", "all"):
        budget = {"scope": scope, "period": "month", "tokens": 10**12}
        calls = rates(server, model, IN_THREADS, BUDGETS=[budget])[1]
        line(f"calls a second, a budget of scope `{scope}`", calls.calls, calls.calls / without.calls, "no budget")


def _line(process: Process) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline()


def sessions_seconds(server: Server) -> float:
    """The processor seconds of all other sessions, if the database is on this machine."""
    return sum(map(processor_seconds, server.sessions()))


def processor_seconds(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waiting(server: Server, model: Model) -> None:
    """Memory and connections while many calls wait for their provider."""
    wait(server, model, "tasks", WAIT_ON_A_LOOP, 200)
    wait(server, model, "threads", WAIT_IN_THREADS, THREADS)
    wait(server, model, "threads with a pool of 4", WAIT_IN_THREADS, THREADS, {"HOST_POOL": "4"})


def wait(
    server: Server, model: Model, name: str, script: str, number: int, environment: Mapping[str, str] | None = None
) -> None:
    model.seconds = 0.0
    agent = {"OPENAI_COMPAT_BASE_URL": model.url, "CACHE_LOOKUP": {}}
    host = Host(server, agent, dict(environment or {}), shares=False)
    process = host.start(script.format(waiting=number))
    assert _line(process) and process.stdin is not None
    before = private_kilobytes(process.pid)
    model.seconds = WAIT_SECONDS
    process.stdin.write("\n")
    process.stdin.flush()
    time.sleep(WAIT_SECONDS * 0.8)
    after, held = private_kilobytes(process.pid), server.connections()
    host.stop()
    each = (after - before) / number
    line(f"memory before {number} {name} wait, MB", before / 1024)
    line("memory of each call that waits, MB", each / 1024, each / before, "the process")
    line(f"connections held by {number} {name} that wait", held, held / number, "calls")


def private_kilobytes(process: int) -> int:
    """The memory that would be free without this process."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def endpoint(server: Server) -> None:
    """Requests to the HTTP endpoint of one ASGI process, which has one second of work per second for all of them."""
    with served(Host(server, environment={"HOST_LEAN": "1"}, shares=False)) as (port, process):
        asyncio.run(load(port, COMPLETE, 10, 3))
        server.clear()
        work, memory = processor_seconds(process), resident_kilobytes(process)
        rate, peak, held = asyncio.run(watched_load(port, process, server))
        ((calls,),) = server.execute("SELECT count(*) FROM agent_prompt_log")
        each = (processor_seconds(process) - work) / calls
    line(f"requests a second, ASGI, {CLIENTS} clients, a provider of 1 s", rate, rate / CLIENTS, "clients")
    line("processor time of a request, ms", each * 1000)
    line("memory of each request that waits, MB", (peak - memory) / 1024 / CLIENTS, (peak - memory) / CLIENTS / memory,
         "the process")  # fmt: skip
    line(f"connections held by {CLIENTS} requests that wait", held, held / CLIENTS, "requests")


def queue_group(server: Server) -> None:
    """How many calls a process that serves functions over NATS runs at once."""
    calls = [Call(0.0, NATS_SECONDS + number * 1e-6) for number in range(NATS_CALLERS)]
    with members(server, 1) as prefix:
        alone, answers = asyncio.run(over_nats(prefix, calls, 1))
    longest = NATS_SECONDS + max(wait for wait, _ in answers)
    one = NATS_SECONDS + sorted(alone)[len(alone) // 2]
    line(f"seconds of {NATS_CALLERS} calls at once, 1 `serve_functions`", longest, longest / one, "one call")


def main() -> None:
    absent = [name for name in ("postgresql", "nats") if not SERVICES[name]]
    if absent:
        print(f"not covered: {', '.join(absent)}, which cannot be reached")
        return
    head("one process")
    with own_database("postgresql") as server, Model(answer("this")) as model:
        one_process(server, model)
        budgets(server, model)
        endpoint(server)
        waiting(server, model)
        queue_group(server)
        row_costs.measure(server)


if __name__ == "__main__":
    main()
