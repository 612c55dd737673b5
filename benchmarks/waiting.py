"""Many waiting callers: the HTTP endpoint on one ASGI process, and identical questions at once.

Reference: a bare Django view that sleeps as long as the provider, in the same process with the same clients.
"""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.host import show, verdict
from tests.__main__ import SERVICES
from tests.hosts import Host, Server, own_database, said

CLIENTS = 200
SECONDS = 10
RAMP_SECONDS = 2
COMPLETE = "/agent/api/v1/llm/complete"
BODY = b'{"prompt": "Name the capital of France. %d", "model": "small"}'


async def client(port: int, target: str, number: int, until: float) -> list[float]:
    """The times of one client's answers, on one connection. It asks again as soon as it has the last one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered_at: list[float] = []
    while time.perf_counter() < until:
        body = BODY % (number * 1000 + len(answered_at))
        head = (
            f"POST {target} HTTP/1.1\r\nHost: a\r\nX-API-KEY: service-key-for-tests\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        reply = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(reply.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = await reader.readexactly(length)
        assert reply.startswith(b"http/1.1 200") and b'"ok"' in answer, (reply, answer)
        answered_at.append(time.perf_counter())
    writer.close()
    return answered_at


async def load(port: int, target: str, clients: int, seconds: float) -> float:
    """Requests answered per second, from when all clients have started until the first one stops.

    They start one after the other in the first second, as independent clients do.
    """
    started_at = time.perf_counter()
    until = started_at + seconds

    async def late_client(number: int) -> list[float]:
        await asyncio.sleep(number / clients)
        return await client(port, target, number, until)

    answers = await asyncio.gather(*map(late_client, range(clients)))
    counted = sum(started_at + RAMP_SECONDS <= moment < until for answered_at in answers for moment in answered_at)
    return counted / (seconds - RAMP_SECONDS)


def resident_kilobytes(process: int) -> int:
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@contextmanager
def served(host: Host) -> Iterator[tuple[int, int]]:
    """The port and the process id of one uvicorn process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = f"port={port}, log_level='error', access_log=False, backlog=1024"
    process = host.start(f"import uvicorn; uvicorn.run('benchmarks.asgi_host:application', {options})")
    while not _listens(port):
        time.sleep(0.1)
    try:
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()
        host.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def endpoint(server: Server) -> None:
    """On a host for services, with the middleware that they need, and then with everything that people need too."""
    lean = {"HOST_LEAN": "1"}
    reference = rate_of(Host(server, environment=lean), "/bare")
    with served(Host(server, environment=lean)) as (port, process):
        asyncio.run(load(port, COMPLETE, 10, 4))
        before = resident_kilobytes(process)
        rate, peak, held = asyncio.run(watched_load(port, process, server))
    memory = (peak - before) / 1024 / CLIENTS
    show("bare view that sleeps 1 s, 200 clients (reference)", reference, "requests/s")
    show("POST llm/complete, 1 s provider, 200 clients", rate, "requests/s", f"= {rate / reference:.2f}x the bare view")
    show("memory per waiting call", memory, "MB")
    show("database connections held while they wait", held, "")
    verdict(">= 150 requests/s", rate >= 150)
    verdict("<= 1.5 MB per waiting call", memory <= 1.5)
    reference, rate = rate_of(Host(server), "/bare"), rate_of(Host(server), COMPLETE)
    show("bare view behind sessions, messages and JWT (reference)", reference, "requests/s")
    show("POST llm/complete behind the same", rate, "requests/s", f"= {rate / reference:.2f}x the bare view")


def rate_of(host: Host, target: str) -> float:
    with served(host) as (port, _):
        asyncio.run(load(port, target, 10, 4))
        return asyncio.run(load(port, target, CLIENTS, SECONDS))


async def watched_load(port: int, process: int, server: Server) -> tuple[float, int, int]:
    """The rate, and the maximum of memory and connections during the load."""
    running = asyncio.create_task(load(port, COMPLETE, CLIENTS, SECONDS))
    peak = held = 0
    while not running.done():
        await asyncio.sleep(0.5)
        peak = max(peak, resident_kilobytes(process))
        held = max(held, await asyncio.to_thread(server.connections))
    return await running, peak, held


IDENTICAL = """
from stapel_agent.testing import scripted_provider
def slowly(request):
    time.sleep(1)
    return "Paris"
with scripted_provider(slowly) as model:
    threads = [threading.Thread(target=services.complete, args=("capital?", "small")) for _ in range({callers})]
    started_at = time.perf_counter()
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    say([len(model.requests), time.perf_counter() - started_at])
"""

FIFTY_WAITS = """
from stapel_agent.testing import scripted_provider
def slowly(request):
    time.sleep(2)
    return "Paris"
async def main():
    held = []
    async def watch():
        while True:
            held.append(await asyncio.to_thread(server.connections))
            await asyncio.sleep(0.2)
    watching = asyncio.create_task(watch())
    await asyncio.gather(*(services.acomplete(str(number), "small") for number in range(50)))
    watching.cancel()
    return max(held)
from tests.hosts import Server
server = Server({kind!r}, {database!r})
with scripted_provider(slowly):
    say(asyncio.run(main()))
"""


def identical(server: Server) -> None:
    host = Host(server)
    single, alone = host.run(IDENTICAL.format(callers=1))
    calls, seconds = host.run(IDENTICAL.format(callers=20).replace("capital?", "capital, please?"))
    show("one caller, a provider of 1 s (reference)", alone, "s", f"{single} provider call")
    show("20 identical callers at once", seconds, "s", f"= {seconds / alone:.2f}x one caller, {calls} provider call")
    verdict("one provider call", calls == 1)
    held = said(host.start(FIFTY_WAITS.format(kind=server.kind, database=server.database)))
    show("connections held during 50 different waits in one loop", held, "")
    host.stop()


if __name__ == "__main__":
    if not SERVICES["postgresql"]:
        sys.exit("not covered: postgresql, which cannot be reached")
    os.environ.setdefault("WORKERS", "1")
    print("\nwaiting on postgresql", flush=True)
    with own_database("postgresql") as database:
        endpoint(database)
        identical(database)
