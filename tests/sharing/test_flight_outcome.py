"""What the followers of a request in another process learn about its end."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from stapel_agent.exceptions import AccessDenied, AnswerTruncated
from stapel_agent.models import Flight, PromptLog
from stapel_agent.sharing import leases
from stapel_agent.sharing.flight_outcome import FlightOutcome, outcome_of, sweep
from stapel_agent.types import Completion

pytestmark = pytest.mark.django_db

KEY = "k" * 64


def row(request_id: uuid.UUID, status: str, **columns) -> None:
    facts = {"source": "other", "model": "m", "model_size": "small", "prompt": "p", "request_id": request_id}
    PromptLog.objects.create(**{**facts, "cache_key": "first's", **columns}, status=status)


def outcome(request_id: uuid.UUID, silence: leases.Silence | None = None) -> FlightOutcome | None:
    return outcome_of(KEY, request_id, "first", {"first's", "second's"}, silence or leases.Silence(), "default")


@pytest.mark.parametrize(
    ("status", "columns", "expected"),
    [
        ("success", {"response": "r", "metadata": {"provider": "first"}}, Completion("r", "first", "m")),
        ("failure", {"response": "r", "error_message": "cut", "metadata": {"failure": "truncated"}}, AnswerTruncated),
        ("failure", {"error_message": "no", "metadata": {"failure": "auth", "provider": "second"}}, AccessDenied),
        ("error", {"metadata": {"failure": "cancelled"}}, None),
        ("error", {"metadata": {"failure": "lost"}}, None),
        ("pending", {}, None),
        ("success", {"response": "", "metadata": {"provider": "first"}}, Completion("", "first", "m")),
        ("success", {"response": None, "scrubbed_at": timezone.now()}, None),
        ("success", {"response": None, "metadata": {"provider": "first", "response_length": 9_000_000}}, None),
        ("failure", {"metadata": None, "error_message": "of the first release"}, Exception),
    ],
)
def test_landing__as_the_last_row_says(status, columns, expected):
    """The last row of a request has its answer or its failure. After any other end, the question is still open."""
    request_id = uuid.uuid4()
    row(request_id, "failure", metadata={"failure": "overloaded"}, error_message="before")
    row(request_id, status, **columns)
    found = outcome(request_id)
    if expected is None or isinstance(expected, Completion):
        assert found == FlightOutcome(expected)
    else:
        assert isinstance(found.fault, expected)
        assert (str(found.fault), found.fault.text) == (columns["error_message"], columns.get("response"))


def test_landing__among_others_of_its_request():
    """A request may lead several flights. The rows of the others do not count for this one."""
    request_id = uuid.uuid4()
    row(request_id, "success", response="r", metadata={"provider": "first"})
    row(request_id, "success", response="another's", cache_key="another's")
    assert outcome(request_id) == FlightOutcome(Completion("r", "first", "m"))


@pytest.mark.parametrize("provider", ["first", "second"])
def test_landing__that_may_have_turned(agent, provider):
    """If a fallback may have had a cached answer, the failure of the last row is not shared."""
    agent(FALLBACKS={"first": ["second", "third"]})
    request_id = uuid.uuid4()
    row(request_id, "failure", metadata={"failure": "auth", "provider": provider}, error_message="no")
    assert outcome(request_id) == FlightOutcome()


@pytest.mark.parametrize(("silence", "goes_on"), [(1, True), (30, True), (70, False)])
def test_landing__of_a_leader(silence, goes_on):
    """A leader that renews its lease is waited for. Otherwise it is ended, with its rows."""
    request_id = uuid.uuid4()
    row(request_id, "pending")
    Flight.objects.create(key=KEY, request_id=request_id, seen_at=timezone.now() - timedelta(seconds=silence))
    assert outcome(request_id) == (None if goes_on else FlightOutcome())
    assert Flight.objects.exists() is goes_on
    assert PromptLog.objects.get().status == ("pending" if goes_on else "error")


def test_landing__of_a_silent_leader(monkeypatch):
    """A leader with a short silence is ended once it has stayed silent for as long as a renewal takes."""
    monkeypatch.setattr(leases, "RENEWAL_SECONDS", 0.0)
    request_id, silence = uuid.uuid4(), leases.Silence()
    flight = Flight.objects.create(key=KEY, request_id=request_id, seen_at=timezone.now() - timedelta(seconds=30))
    assert [outcome(request_id, silence) for _ in range(leases.LEAST_LOOKS - 1)] == [None] * (leases.LEAST_LOOKS - 1)
    Flight.objects.update(seen_at=timezone.now())
    assert outcome(request_id, silence) is None
    Flight.objects.update(seen_at=flight.seen_at)
    found = [outcome(request_id, silence) for _ in range(leases.LEAST_LOOKS)]
    assert found == [*[None] * (leases.LEAST_LOOKS - 1), FlightOutcome()]
    assert not Flight.objects.exists()


@pytest.mark.parametrize(("renewal", "silence", "seconds"), [(5, 20, 5), (5, 2, 0.5), (0.2, 20, 0.2)])
def test_renewal__within_a_silence(monkeypatch, renewal, silence, seconds):
    """A lease is renewed several times before its leader may count as dead."""
    monkeypatch.setattr(leases, "RENEWAL_SECONDS", renewal)
    monkeypatch.setattr(leases, "SILENCE_SECONDS", silence)
    assert leases.renewal_seconds() == seconds


def test_sweep__only_the_silent():
    """The flights of dead processes are removed, and no others."""
    now = timezone.now()
    for name, seconds in (("alive", 1), ("gone", leases.LONG_SILENCE * leases.SILENCE_SECONDS + 1)):
        Flight.objects.create(key=name, request_id=uuid.uuid4(), seen_at=now - timedelta(seconds=seconds))
    sweep()
    assert [flight.key for flight in Flight.objects.all()] == ["alive"]
