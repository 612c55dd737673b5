"""If hosts' clocks differ, the database's clock decides, and no running call is closed."""

from __future__ import annotations

import json

import pytest

from tests.engine_fixtures import until
from tests.hosts import Host
from tests.scripted_server import Reply, ScriptedServer

HANGING = """
from stapel_agent.ledger import running_calls
running_calls.RENEWAL_SECONDS = {renewal}
services.complete("what?", "small", workspace_id="acme")
"""
CLOSE = """
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
from stapel_agent.budgets import balances
from stapel_agent.models import BudgetAccount, Reservation
from stapel_agent.ledger import running_calls
running_calls.SILENCE_SECONDS = {silence}
now = timezone.now
timezone.now = lambda: now() + timedelta(minutes={ahead})
call_command("close_lost_calls", *{arguments}, skip_checks=True, verbosity=0)
say([list(PromptLog.objects.values_list("status", flat=True)), Reservation.objects.count()])
"""
BEHIND = """
from datetime import UTC, datetime, timedelta
from stapel_agent.database import clock, database_now
class Late(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) - timedelta(minutes=30)
clock.datetime = Late
services.complete("what?", "small")
row = PromptLog.objects.get()
age = database_now("default") - row.created_at
say(abs(age.total_seconds()) < 60)
"""
STEPPED = """
from datetime import UTC, datetime, timedelta
from stapel_agent.database import clock, database_now, host_offset
class Stepped(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(days=1)
services.complete("what?", "small")
clock.CHECKED_SECONDS = 10**9
host_offset("default")
clock.datetime = Stepped
services.complete("what else?", "small")
ages = [database_now("default") - row.created_at for row in PromptLog.objects.all()]
say([abs(age.total_seconds()) < 60 for age in ages])
"""
PURGE = """
import datetime as clocks
from django.core.management import call_command
from django.utils import timezone
class Ahead(clocks.datetime):
    @classmethod
    def now(cls, tz=None):
        return clocks.datetime.now(tz) + clocks.timedelta(days=400)
now = timezone.now
timezone.now = lambda: now() + clocks.timedelta(days=400)
from stapel_agent.database import clock
from stapel_agent.budgets import reservations
clock.datetime = reservations.datetime = Ahead
from stapel_agent.models import BudgetAccount
call_command("purge_prompt_logs", "--days", "90", skip_checks=True, verbosity=0)
call_command("close_lost_calls", skip_checks=True, verbosity=0)
say([list(PromptLog.objects.values_list("prompt", flat=True)), BudgetAccount.objects.count()])
"""
IN_UTC = """
from datetime import UTC, datetime
from stapel_agent.database import UtcNow, database_now
row = PromptLog.objects.create(source="other", model="m", model_size="", prompt="", status="pending")
PromptLog.objects.update(seen_at=UtcNow())
row.refresh_from_db()
say([abs((moment - datetime.now(UTC)).total_seconds()) < 60 for moment in (row.seen_at, database_now("default"))])
"""


@pytest.fixture
def hanging(host: Host, model: ScriptedServer) -> Host:
    """A host with a budget, whose model never answers."""
    model.replies = [Reply(raw=b"", ending="hang")]
    budget = {"scope": "workspace", "id": "acme", "period": "day", "tokens": 9000}
    host.agent |= {"BUDGETS": [budget], "CLI_TIMEOUT": 100}
    return host


def closed(host: Host, *arguments: str, ahead: int = 0, silence: float = 20) -> list[object]:
    return host.run(CLOSE.format(arguments=list(arguments), ahead=ahead, silence=silence))  # type: ignore[no-any-return]


def test_close_lost__host_clock_ahead(hanging: Host, model: ScriptedServer) -> None:
    """A running call keeps its row and its reservation, even if the cleaning host's clock is two minutes ahead."""
    hanging.start(HANGING.format(renewal=60))
    until(lambda: model.requests)
    assert closed(hanging, ahead=2) == [["pending"], 1]


def test_close_lost__a_renewed_row_lives(hanging: Host, model: ScriptedServer) -> None:
    """A call whose process renews its row is not closed, however old it is. It is closed when the renewals end."""
    process = hanging.start(HANGING.format(renewal=0.1))
    until(lambda: model.requests)
    until(lambda: hanging.server.execute("SELECT count(*) FROM agent_prompt_log WHERE seen_at IS NOT NULL")[0][0])
    assert closed(hanging, "--older-than", "0") == [["pending"], 1]
    process.kill()
    process.wait()
    assert closed(hanging, "--older-than", "0", silence=0) == [["error"], 0]


def test_created_at__host_clock_behind(host: Host, model: ScriptedServer) -> None:
    """A row's start is a time of the database's clock, which all hosts share."""
    assert host.run(BEHIND) is True


def test_created_at__after_the_hosts_clock_was_set(host: Host, model: ScriptedServer) -> None:
    """If this machine's clock is set, its distance to the database's clock is measured again."""
    assert host.run(STEPPED) == [True, True]


def test_purge__host_clock_ahead(hanging: Host, model: ScriptedServer) -> None:
    """A cleaning host whose clock is a year ahead removes neither the texts nor the budgets of today."""
    hanging.start(HANGING.format(renewal=60))
    until(lambda: model.requests)
    hanging.server.execute("UPDATE agent_prompt_log SET status = 'error'")
    assert hanging.run(PURGE) == [["what?"], 1]


def test_now__in_utc(host: Host) -> None:
    """The database's time is UTC, whatever the time zone of its sessions is."""
    zone = {
        "postgresql": {"options": "-c timezone=Asia/Kolkata"},
        "mariadb": {"init_command": "SET time_zone='+05:30'"},
    }
    host.environment["HOST_DATABASE_OPTIONS"] = json.dumps(zone[host.server.kind])
    assert host.run(IN_UTC) == [True, True]
