"""Ctrl-C, and a signal handler that raises, during a translation, each in a separate process."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from tests.engine_fixtures import TASK_HOST
from tests.hosts import Host
from tests.preloaded import Process

ASKED, AT_ONCE = 4, 2

TRANSLATION = f"""
from asgiref.sync import sync_to_async
from stapel_agent import LlmProvider, ProviderResult, register_provider

class Slow(LlmProvider):
    asked = 0

    def complete(self, *, prompt, model, system_prompt=None):
        Slow.asked += 1
        if Slow.asked == {ASKED}:
            say("asked")
        time.sleep(0.1 if Slow.asked <= {ASKED - AT_ONCE} else 5)
        return ProviderResult(json.dumps({{key: text.upper() for key, text in json.loads(prompt).items()}}), 10, 5)

register_provider("slow", Slow)
entries = {{f"key {{n}}": f"text {{n}}" for n in range(400)}}

def translate():
    return services.translate("en", "de", entries, provider="slow")

def told():
    rows = PromptLog.objects.values_list("status", "metadata__failure").order_by("created_at")
    return [[list(row) for row in rows], Flight.objects.count()]
"""
INTERRUPTIBLE = f"""{TRANSLATION}
try:
    translate()
except KeyboardInterrupt:
    pass
"""
EXIT_SECONDS = 100
"""Far less than the rest of the translation would take."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    agent = {"TRANSLATE_CHUNK_ENTRIES": 5, "TRANSLATE_CONCURRENCY": AT_ONCE}
    if request.param == "sqlite":
        host = Host(request.getfixturevalue("file_server"), agent, TASK_HOST)
    else:
        host = Host(request.getfixturevalue("databases")(request.param), agent)
        host.server.clear()
    yield host
    host.stop()


def met(host: Host, script: str) -> Process:
    """A process that got SIGINT when it reported that it is in the middle."""
    process = host.start(script)
    assert process.stdout.readline() == '"asked"\n'
    process.send_signal(signal.SIGINT)
    return process


def said_after(seconds: float, script: str) -> str:
    """The script that reports so much later that it is in the middle: the caller's thread waits for its providers."""
    return script.replace('say("asked")', f'threading.Timer({seconds}, say, ["asked"]).start()')


def over(process: Process) -> list[str]:
    """The last line of a process, which ends soon and without an error."""
    out, errors = process.communicate(timeout=EXIT_SECONDS)
    assert (process.returncode, errors) == (0, "")
    return out.splitlines()


def assert_accounted(host: Host, flights: int = 0) -> None:
    """Every row is closed and paid for, except the last ones, which may be given up. At most `flights` are left."""
    rows, left_over = host.run(f"{TRANSLATION}\nsay(told())")
    paid, left = rows[:-AT_ONCE], rows[-AT_ONCE:]
    assert len(rows) < ASKED + 2 * AT_ONCE
    assert left_over <= flights
    assert paid == [["success", None]] * len(paid)
    assert all(row in (["success", None], ["error", "cancelled"]) for row in left)


@pytest.mark.parametrize("wait", [0.0, 0.2])
def test_ctrl_c__ends_the_process(host, wait):
    """Whenever SIGINT comes, the process ends at once, and every row is closed: paid for, or cancelled."""
    assert over(met(host, said_after(wait, INTERRUPTIBLE))) == []
    assert_accounted(host)


def test_ctrl_c__that_does_not_wake_the_thread(host):
    """SIGINT that another thread receives is noticed, as is one that comes just before the caller's thread waits."""
    receiver = """
threading.Thread(target=time.sleep, args=[600], daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
"""
    script = receiver + INTERRUPTIBLE.replace("else 5)", "else 600)")
    assert over(met(host, said_after(0.2, script))) == []
    assert_accounted(host)


def test_ctrl_c__in_a_call_of_the_loop(host):
    """SIGINT may also come while the caller's thread runs something for a provider on the event loop."""
    script = INTERRUPTIBLE.replace(
        "register_provider(",
        """
class Bridged(Slow):
    async def acomplete(self, **arguments):
        return await sync_to_async(self.complete)(**arguments)

register_provider("slow", Bridged)
translating = (""",
        1,
    )
    assert over(met(host, script)) == []
    assert_accounted(host)


def test_ctrl_c__twice(host):
    """If a provider ignores its cancellation, a second SIGINT ends the wait."""
    script = INTERRUPTIBLE.replace("else 5)", "else 60)").replace(
        "register_provider(",
        """
class Stubborn(Slow):
    may_end = has_ended = False

    async def acomplete(self, **arguments):
        try:
            return await super().acomplete(**arguments)
        except asyncio.CancelledError:
            say("still there")
            while not Stubborn.may_end:
                await asyncio.sleep(0.05)
            Stubborn.has_ended = True
            raise

register_provider("slow", Stubborn)
translating = (""",
        1,
    )
    process = met(
        host, f"import logging\nlogging.disable()\n{script}\nsay(['left', Stubborn.has_ended])\nStubborn.may_end = True"
    )
    assert process.stdout.readline() == '"still there"\n'
    process.send_signal(signal.SIGINT)
    assert '["left", false]' in over(process)
    assert_accounted(host, flights=AT_ONCE)  # which no longer renew their leases


def test_time_limit__of_a_signal(host):
    """An exception from a signal handler becomes the translation's failure, and every row is closed.

    It comes while the thread waits: during work on the ledger, it would be an error of the ledger.
    """
    script = f"""{TRANSLATION}
class SoftTimeLimit(Exception):
    pass

def limit(number, frame):
    raise SoftTimeLimit

signal.signal(signal.SIGINT, limit)
say(translate())
"""
    (answer,) = over(met(host, said_after(0.2, f"import logging\nlogging.disable()\n{script}")))
    assert json.loads(answer)["reason"] == "internal_error: SoftTimeLimit"
    assert_accounted(host)
