"""Interrupted and concurrent translations on a real PostgreSQL: everything that was paid for is kept."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.answers import TRACED, by, failure_of
from tests.engine_fixtures import answer, until
from tests.hosts import Host, Server, said
from tests.scripted_server import Reply, Request, ScriptedServer

BY = by("openai-compat")

pytestmark = pytest.mark.postgresql

COUNT = 40
CHUNK = 5
AT_ONCE = 4
HANGS = Reply(raw=b"", ending="hang")

IMPATIENT = """
from stapel_agent.sharing import leases
leases.SILENCE_SECONDS = 3
"""
PRELUDE = f"""{IMPATIENT}
entries = {{f"key.{{n}}": f"text {{n}} for {{{{name}}}}" for n in range({COUNT})}}
"""
SYNC = f'{PRELUDE}\nsay(services.translate("en", "de", entries))'
ASYNC = f'{PRELUDE}\nsay(asyncio.run(services.atranslate("en", "de", entries)))'
FIRST_CALL = 'services.translate("en", "de", {"first": "text one"})'
"""A process loads much in its first call, which may take seconds on a busy machine."""
BOTH = pytest.mark.parametrize("script", [SYNC, ASYNC], ids=["sync", "async"])
WHOLE = {f"key.{n}": f"TEXT {n} FOR {{name}}" for n in range(COUNT)}


class Translator(ScriptedServer):
    """An endpoint that translates to capitals. It answers `patience` questions, and hangs on the rest.

    When it sees a text for the first time, it leaves it out if its number ends in one of `forgets`.
    """

    def __init__(self) -> None:
        super().__init__(HANGS)
        self.patience = 1000
        self.forgets = ""
        self.asked: Counter[str] = Counter()
        self._once = threading.Lock()

    def reply_to(self, request: Request) -> Reply:
        super().reply_to(request)
        with self._once:
            texts = texts_of(request)
            self.asked.update(texts.values())
            self.patience -= 1
            if self.patience < 0:
                return HANGS
            known = {number: text.upper() for number, text in texts.items() if not self._is_forgotten(text)}
            return answer(json.dumps(known))

    def _is_forgotten(self, text: str) -> bool:
        return self.asked[text] == 1 and text.split()[1][-1] in self.forgets

    def start_over(self) -> None:
        """Answer everything, and restart the counts."""
        self.patience = 1000
        self.requests.clear()
        self.asked.clear()


def texts_of(request: Request) -> dict[str, str]:
    return dict(json.loads(request.json["messages"][-1]["content"]))


def masked(keys: Any) -> Counter[str]:
    """Each text of `keys` once, as a model sees it."""
    return Counter(WHOLE[key].lower().replace("{name}", "⟦1⟧") for key in keys)


def usage(calls: int) -> dict[str, int]:
    return {"input_tokens": 7 * calls, "output_tokens": 3 * calls}


@pytest.fixture
def server(databases: Callable[[str], Server]) -> Server:
    return databases("postgresql")


@pytest.fixture
def model() -> Iterator[Translator]:
    """The provider of all hosts."""
    with Translator() as model:
        yield model


@pytest.fixture
def host(host: Host) -> Host:
    """Hosts that ask for five texts at a time."""
    host.agent |= {"TRANSLATE_CHUNK_ENTRIES": CHUNK, "TRANSLATE_CONCURRENCY": AT_ONCE}
    return host


def killed_half_way(host: Host, model: Translator, script: str) -> None:
    """A process that runs this script, killed after three chunks were answered while the next ones are under way."""
    model.patience = 3
    process = host.start(script)
    until(lambda: kept(host.server) == 3 * CHUNK and len(model.requests) == 3 + AT_ONCE)
    process.kill()
    process.wait()


def kept(server: Server) -> int:
    (count,) = server.execute("SELECT count(*) FROM agent_translation")[0]
    return int(count)


@BOTH
def test_killed__pays_for_the_rest_only(host: Host, model: Translator, script: str) -> None:
    """After a process is killed, the next one only asks for the chunks that were not answered."""
    killed_half_way(host, model, script)
    landed = [text for request in model.requests[:3] for text in texts_of(request).values()]
    model.start_over()
    assert host.run(script) == {"status": "ok", "result": WHOLE, "usage": usage(5), **BY}
    assert model.asked == masked(WHOLE) - Counter(landed)
    assert len(model.requests) == COUNT / CHUNK - 3
    assert (kept(host.server), host.server.flights()) == (COUNT, 0)


def test_killed__rows(host: Host, model: Translator) -> None:
    """The ledger has every call of the killed process, answered or not."""
    killed_half_way(host, model, SYNC)
    rows = host.server.rows()
    assert Counter(row["status"] for row in rows) == {"success": 3, "pending": AT_ONCE}
    assert host.manage("close_lost_calls", "--older-than", "0") == f"closed {AT_ONCE} lost calls\n"
    lost = [row["metadata"] for row in host.server.rows() if row["status"] == "error"]
    facts = ("failure", "from", "to", "key_count", "chunks", "asked_again")
    assert [[row[name] for name in facts] for row in lost] == [["lost", "en", "de", CHUNK, 8, 0]] * AT_ONCE


def at_once(host: Host, *scripts: str) -> list[Any]:
    """What several processes print that start at the same moment and wait for slow leaders."""
    patient = [script.removeprefix(IMPATIENT) for script in scripts]
    processes = [host.start(f"say('ready')\nsys.stdin.readline()\n{script}") for script in patient]
    for process in processes:
        assert process.stdout and process.stdout.readline() == '"ready"\n'
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    return [said(process) for process in processes]


def test_two_at_once__each_text_is_paid_once(host: Host, model: Translator) -> None:
    """Two processes that translate the same texts at once pay for each text once between them."""
    answers = at_once(host, SYNC, ASYNC)
    assert [{**one, "usage": None} for one in answers] == [{"status": "ok", "result": WHOLE, "usage": None, **BY}] * 2
    assert model.asked == masked(WHOLE)
    assert sum((Counter(one["usage"]) for one in answers), Counter()) == usage(COUNT // CHUNK)
    assert [row["status"] for row in host.server.rows()] == ["success"] * (COUNT // CHUNK)
    assert (kept(host.server), host.server.flights()) == (COUNT, 0)


def test_two_at_once__with_faults(host: Host, model: Translator) -> None:
    """If texts are left out at first, both processes get all of them, and the ledger has the exact tokens."""
    model.forgets = "37"
    answers = at_once(host, SYNC, ASYNC)
    assert [{**one, "usage": None} for one in answers] == [{"status": "ok", "result": WHOLE, "usage": None, **BY}] * 2
    forgotten = masked(key for key in WHOLE if key[-1] in model.forgets)
    assert not masked(WHOLE) + forgotten - model.asked
    assert model.asked <= masked(WHOLE) + masked(WHOLE) + forgotten
    assert sum((Counter(one["usage"]) for one in answers), Counter()) == usage(len(model.requests))
    assert [row["status"] for row in host.server.rows()] == ["success"] * len(model.requests)
    assert (kept(host.server), host.server.flights()) == (COUNT, 0)


THREADS = f"""{PRELUDE}
answers = []
threads = [threading.Thread(target=lambda: answers.append(services.translate("en", "de", entries))) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
say(answers)
"""
TASKS = f"""{PRELUDE}
async def main():
    return await asyncio.gather(*(services.atranslate("en", "de", entries) for _ in range(3)))
say(asyncio.run(main()))
"""


@pytest.mark.parametrize("script", [THREADS, TASKS], ids=["threads", "tasks"])
def test_three_at_once__in_one_process(host: Host, model: Translator, script: str) -> None:
    """Threads, or tasks on one loop, that translate the same texts at once pay for each text once between them."""
    answers = host.run(script)
    assert [{**one, "usage": None} for one in answers] == [{"status": "ok", "result": WHOLE, "usage": None, **BY}] * 3
    assert model.asked == masked(WHOLE)
    assert sum((Counter(one["usage"]) for one in answers), Counter()) == usage(COUNT // CHUNK)
    assert (kept(host.server), host.server.flights()) == (COUNT, 0)


CANCELLED = f"""{PRELUDE}
async def main():
    asking = asyncio.ensure_future(services.atranslate("en", "de", entries))
    await asyncio.to_thread(sys.stdin.readline)
    asking.cancel()
    try:
        await asking
    except asyncio.CancelledError:
        say("cancelled")
asyncio.run(main())
"""


def test_cancelled__pays_for_the_rest_only(host: Host, model: Translator) -> None:
    """Answers from before the caller was cancelled are kept. Its other calls are recorded as cancelled."""
    model.patience = 3
    process = host.start(CANCELLED)
    until(lambda: kept(host.server) == 3 * CHUNK and len(model.requests) == 3 + AT_ONCE)
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()
    assert said(process) == "cancelled"
    assert Counter(row["status"] for row in host.server.rows()) == {"success": 3, "error": AT_ONCE}
    assert host.server.flights() == 0
    landed = [text for request in model.requests[:3] for text in texts_of(request).values()]
    model.start_over()
    assert host.run(ASYNC) == {"status": "ok", "result": WHOLE, "usage": usage(5), **BY}
    assert model.asked == masked(WHOLE) - Counter(landed)


@BOTH
def test_deadline__keeps_what_is_done(host: Host, model: Translator, script: str) -> None:
    """After the deadline, the rest has failed as "deadline", and a second run asks for the rest only."""
    host.agent["DEADLINE"] = 8
    script = script.replace("say(", f"{FIRST_CALL}\nsay(")
    model.patience = 1 + 3
    half = host.run(script)
    landed = {text for request in model.requests[1:4] for text in texts_of(request).values()}
    done = {key: text for key, text in WHOLE.items() if masked([key]).keys() <= landed}
    assert len(done) == 3 * CHUNK
    rest = dict.fromkeys(WHOLE.keys() - done.keys(), "deadline")
    assert half == {"status": "ok", "result": done, "failed": rest, "usage": usage(3), **BY}
    assert len(model.requests) == 1 + 3 + AT_ONCE
    assert Counter(row["status"] for row in host.server.rows()) == {"success": 1 + 3, "timeout": AT_ONCE}
    assert host.server.flights() == 0
    host.agent["DEADLINE"] = None
    model.start_over()
    assert host.run(script) == {"status": "ok", "result": WHOLE, "usage": usage(5), **BY}
    assert model.asked == masked(rest)


def test_deadline__before_anything_is_done(host: Host, model: Translator) -> None:
    """If no text arrives in time, the answer is a failure with a reason for each text."""
    host.agent["DEADLINE"] = 3
    model.patience = 0
    failure = host.run(SYNC)
    assert failure == {
        "status": "failure",
        "failure": failure_of(failure["reason"]),
        "reason": failure["reason"],
        "failed": dict.fromkeys(WHOLE, "deadline"),
        **TRACED,
    }
    assert failure["reason"].startswith("timeout: ")


IN_TRANSACTION = (
    PRELUDE
    + """
entries = dict(list(entries.items())[:{count}])
try:
    with transaction.atomic():
        PromptLog.objects.create(source="other", model="the caller's own")
        answer = services.translate("en", "de", entries)
        raise RuntimeError
except RuntimeError:
    say(answer)
"""
)


@pytest.mark.parametrize(("concurrency", "count"), [(1, COUNT), (AT_ONCE, COUNT), (AT_ONCE, 3)])
def test_rollback__loses_nothing(host: Host, model: Translator, concurrency: int, count: int) -> None:
    """A rollback of the caller's transaction removes neither rows nor translations."""
    host.agent["TRANSLATE_CONCURRENCY"] = concurrency
    calls = -(-count // CHUNK)
    wanted = dict(list(WHOLE.items())[:count])
    script = IN_TRANSACTION.replace("{count}", str(count))
    assert host.run(script) == {"status": "ok", "result": wanted, "usage": usage(calls), **BY}
    assert [row["status"] for row in host.server.rows()] == ["success"] * calls
    assert (kept(host.server), host.server.flights()) == (count, 0)
    assert host.run(script) == {"status": "ok", "result": wanted, "usage": usage(0), **BY}
    assert model.asked == masked(wanted)
