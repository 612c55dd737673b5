"""Receivers of signals in hosts on real servers, outside of any test's transaction."""

from __future__ import annotations

import pytest

from tests.engine_fixtures import PAID
from tests.hosts import Host
from tests.scripted_server import Reply, ScriptedServer

RECEIVERS = """
from django.db.models import F
from stapel_agent.signals import call_finished
told, threads = [], []
def broken(**facts):
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing_at_all FROM nowhere")
def writing(call, sender, **facts):
    sender.objects.filter(pk=call.id, status="success").update(user_id="seen")
    threads.append(threading.current_thread())
    told.append(call.status)
def interrupting(**facts):
    raise GeneratorExit if threading.current_thread() is threading.main_thread() else KeyboardInterrupt
for receiver in (broken, writing, interrupting):
    call_finished.connect(receiver, sender=PromptLog)
"""

IN_A_TRANSACTION = f"""{RECEIVERS}
try:
    with transaction.atomic():
        PromptLog.objects.create(source="other", model="mine", model_size="", prompt="")
        answer = services.complete("what?", "small")
        mine = PromptLog.objects.filter(model="mine").count()
        raise LookupError
except LookupError:
    left = list(PromptLog.objects.values_list("user_id", flat=True))
    say([answer, mine, left, told, threads != [threading.main_thread()]])
"""

OUTSIDE = f"""{RECEIVERS}
answer = services.complete("what?", "small")
say([answer, list(PromptLog.objects.values_list("user_id", flat=True)), told, threads == [threading.main_thread()]])
"""

ON_AN_EVENT_LOOP = f"""{RECEIVERS}
async def main():
    answer = await services.acomplete("what?", "small")
    seen = [user_id async for user_id in PromptLog.objects.values_list("user_id", flat=True)]
    return [answer, seen, told, threads != [threading.main_thread()]]
say(asyncio.run(main()))
"""

SLOW = """
from stapel_agent.signals import call_finished
release, told = threading.Event(), threading.Event()
def slow(call, **facts):
    release.wait(100)
    told.set()
call_finished.connect(slow, sender=PromptLog)
"""

PAST_THE_DEADLINE = f"""{SLOW}
answer = services.complete("what?", "small")
early = not told.is_set()
release.set()
say([answer, early, told.wait(100)])
"""

PAST_THE_DEADLINE_ON_AN_EVENT_LOOP = f"""{SLOW}
answer = asyncio.run(services.acomplete("what?", "small"))
early = not told.is_set()
release.set()
say([answer, early, told.wait(100)])
"""

CANCELLED = f"""{SLOW}
async def main():
    task = asyncio.create_task(services.acomplete("what?", "small"))
    while not await PromptLog.objects.filter(status="success").aexists():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait({{task}})
    return [task.cancelled(), not told.is_set()]
outcome = asyncio.run(main())
release.set()
say([*outcome, told.wait(100)])
"""

AT_EXIT = """
from stapel_agent.ledger import call_finished_signal as announcement, signal_dispatch
from stapel_agent.signals import call_finished
signal_dispatch.EXIT_SECONDS = 60
def slow(call, **facts):
    time.sleep(0.2)
    PromptLog.objects.filter(pk=call.id).update(user_id="seen")
call_finished.connect(slow, sender=PromptLog)
row = PromptLog.objects.create(source="other", model="m", model_size="", prompt="", status="success")
announcement.announce_later([row])
say(None)
"""

WHERE = """
from stapel_agent.signals import budget_warning, call_finished
threads = {"call": [], "standing": []}
def receiver(signal, sender, **facts):
    threads[next(iter(facts))].append(threading.current_thread().name)
for signal in (call_finished, budget_warning):
    signal.connect(receiver)
services.complete("what?", "small", user_id="0")
with transaction.atomic():
    services.complete("what?", "small", user_id="1")
asyncio.run(services.acomplete("what?", "small", user_id="2"))
say(threads)
"""

SLOW_WARNINGS = """
from stapel_agent.signals import budget_warning
release, begun = threading.Event(), threading.Semaphore(0)
def slow(**facts):
    begun.release()
    release.wait(100)
budget_warning.connect(slow)
async def main():
    slowed = [asyncio.create_task(services.acomplete("what?", "small", user_id=str(number))) for number in range(4)]
    for _ in slowed:
        await asyncio.to_thread(begun.acquire, timeout=100)
    other = asyncio.create_task(services.acomplete("what?", "small", user_id="without a budget"))
    done, _ = await asyncio.wait({other}, timeout=10)
    release.set()
    return [len(done), *(answer["status"] for answer in await asyncio.gather(other, *slowed))]
say(asyncio.run(main()))
"""

RECORDING = """
from stapel_agent import record_call
from stapel_agent.signals import call_finished
together = threading.Barrier(4)
def recording(call, **facts):
    if call.source == "other":
        return
    together.wait(100)
    with transaction.atomic():
        record_call(source="other", provider="house", model="m")
call_finished.connect(recording, sender=PromptLog)
async def main():
    calls = [asyncio.create_task(services.acomplete("what?", "small", user_id=str(number))) for number in range(4)]
    done, _ = await asyncio.wait(calls, timeout=20)
    return [task.result()["status"] for task in done]
say([asyncio.run(main()), PromptLog.objects.filter(source="other").count()])
"""

WARNED_AT_EXIT = """
from stapel_agent.budgets import due_warnings
from stapel_agent.signals import budget_warning
def receiver(standing, **facts):
    PromptLog.objects.update(user_id=standing)
budget_warning.connect(receiver)
PromptLog.objects.create(source="other", model="m", model_size="", prompt="", status="success")
due_warnings.append("warned")
say(None)
"""


INTERRUPTED = """
from stapel_agent.ledger import row_writer
on_ledger, writes = row_writer.on_ledger, []
def interrupted(operation, **options):
    writes.append(operation)
    if len(writes) == {number}:
        if {is_written}:
            on_ledger(operation, **options)
        raise SystemExit
    return on_ledger(operation, **options)
row_writer.on_ledger = interrupted
try:
    services.complete("what?", "small")
except SystemExit:
    pass
ends_at = time.monotonic() + 20
while PromptLog.objects.filter(status="pending").exists() and time.monotonic() < ends_at:
    time.sleep(0.01)
say(list(PromptLog.objects.values_list("status", flat=True)))
"""


@pytest.fixture
def limited(host: Host, model: ScriptedServer) -> Host:
    """A host in which a call uses up nine tenths of its user's budget."""
    message = {"message": {"content": "this"}, "finish_reason": "stop"}
    model.replies = [Reply.of({"choices": [message], "usage": {"prompt_tokens": 80, "completion_tokens": 10}})]
    budgets = [{"scope": "user", "id": str(number), "period": "day", "tokens": 100} for number in range(4)]
    host.agent |= {"MAX_TOKENS": 10, "CACHE_LOOKUP": {}, "BUDGETS": budgets}
    return host


def test_receiver__in_the_callers_transaction(host: Host) -> None:
    """A receiver's writes and errors do not affect the caller's transaction, which continues and may be rolled back."""
    assert host.run(IN_A_TRANSACTION) == [PAID, 1, ["seen"], ["success"], True]


def test_receiver__outside_of_a_transaction(host: Host) -> None:
    """Outside a transaction, receivers run in the caller's thread."""
    assert host.run(OUTSIDE) == [PAID, ["seen"], ["success"], True]


def test_receiver__on_an_event_loop(host: Host) -> None:
    """Receivers may use the ORM, and have run before the caller gets the answer."""
    assert host.run(ON_AN_EVENT_LOOP) == [PAID, ["seen"], ["success"], True]


@pytest.mark.parametrize("script", [PAST_THE_DEADLINE, PAST_THE_DEADLINE_ON_AN_EVENT_LOOP], ids=["sync", "async"])
def test_receiver__past_the_deadline(host: Host, script: str) -> None:
    """A slow receiver delays the answer no longer than the deadline, and runs to its end."""
    host.agent["DEADLINE"] = 5
    assert host.run(script) == [PAID, True, True]


def test_receiver__records_a_call_in_a_transaction(host: Host) -> None:
    """As many receivers as there are threads for them do not wait for each other."""
    host.agent["CACHE_LOOKUP"] = {}
    assert host.run(RECORDING) == [["ok"] * 4, 4]


def test_receiver__of_a_cancelled_caller(host: Host) -> None:
    """A caller that is cancelled while receivers run leaves at once, and they run to their end."""
    assert host.run(CANCELLED) == [True, True, True]


def test_receiver__at_exit(host: Host) -> None:
    """A process waits briefly for running receivers before it exits."""
    host.run(AT_EXIT)
    assert host.server.execute("SELECT user_id FROM agent_prompt_log") == [("seen",)]


def test_warning__where_the_other_receivers_run(limited: Host) -> None:
    """Receivers of both signals run in the same kind of thread."""
    kinds = ["MainThread", "stapel-agent-receivers", "stapel-agent-receivers"]
    assert limited.run(WHERE) == {"call": kinds, "standing": kinds}


def test_warning__slow_receivers_hold_up_no_other_call(limited: Host) -> None:
    """Receivers do not occupy the ledger's connections."""
    assert limited.run(SLOW_WARNINGS) == [1, *["ok"] * 5]


def test_warning__at_exit(host: Host) -> None:
    """A warning that is still due is sent when the process ends."""
    host.run(WARNED_AT_EXIT)
    assert host.server.execute("SELECT user_id FROM agent_prompt_log") == [("warned",)]


@pytest.mark.parametrize(
    ("number", "is_written", "status"),
    [(1, True, "error"), (2, False, "success"), (2, True, "success")],
    ids=["opened", "not closed", "closed"],
)
def test_row__interrupted_write(host: Host, number: int, is_written: bool, status: str) -> None:
    """If a write to the ledger is interrupted, as by gevent, the row is closed without the help of another call."""
    script = INTERRUPTED.format(number=number, is_written=is_written)
    assert host.run(script) == [status]
