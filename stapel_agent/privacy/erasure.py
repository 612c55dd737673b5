"""Export, erasure and merging of what is stored about a person or a workspace, for stapel-core's GDPR registry.

Rows outlive their users: texts are removed, ids become pseudonyms, and what was spent stays. Work is done in batches
that commit on their own if the database allows it. Repeat an erasure to catch what calls under way wrote after the
first one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Q
from stapel_core.comm import on_action
from stapel_core.gdpr import GDPRProvider, gdpr_registry, pseudonymize, register_gdpr_owner

from stapel_agent import cache
from stapel_agent.budgets import hand_over_accounts
from stapel_agent.cache import flush_hits, hand_over_hits, hand_over_translations
from stapel_agent.database import exactly, in_batches, on_ledger
from stapel_agent.ledger import opaque_id
from stapel_agent.models import BudgetAccount, HitCount, IdempotencyRecord, PromptLog
from stapel_agent.sharing import forget_idempotency, hand_over_idempotency

from . import scrubbing

logger = logging.getLogger(__name__)

OWNER = "agent"
SCOPES = {"account": "user", "workspace": "workspace"}
"""Subject type -> the scope of its budgets."""
PAGE = 500

CALL_FIELDS = tuple(field.attname for field in PromptLog._meta.fields if field.attname not in ("cache_key", "user_id"))
HIT_FIELDS = ("hour", "source", "provider", "model", "workspace_id", "hits", "saved_tokens", "saved_cost_usd")
BUDGET_FIELDS = ("period", "starts_on", "spent_nanos", "spent_tokens", "limit_nanos", "limit_tokens")
ANSWER_FIELDS = ("request_id", "created_at", "answer")


class AgentData(GDPRProvider):
    """Calls with their texts, reused answers, budgets, and answers kept for idempotency keys."""

    section = OWNER

    def export(self, user_id: Any) -> dict[str, Any]:
        """Return everything at once. `export_to_staging()` holds only one page in memory."""
        return {name: list(entries) for name, entries in _exported(_stored_id(user_id)).items()}

    def export_to_staging(self, user_id: Any, staging_dir: Path) -> list[Path]:
        """`export()` as a file."""
        target = Path(staging_dir) / f"{self.section}.json"
        with target.open("w", encoding="utf-8") as file:
            for number, (name, entries) in enumerate(_exported(_stored_id(user_id)).items()):
                file.write(f"{',' if number else '{'}\n{json.dumps(name)}: [")
                for position, entry in enumerate(entries):
                    text = json.dumps(entry, cls=DjangoJSONEncoder, ensure_ascii=False)
                    file.write(f"{',' if position else ''}\n{text}")
                file.write("]")
            file.write("}\n")
        return [target]

    def delete(self, user_id: Any) -> None:
        """The same as `anonymize()`: the figures stay, and nothing that stays identifies the user."""
        erase("account", str(user_id))

    def anonymize(self, user_id: Any) -> None:
        """Remove the texts of the user's calls and cached answers, and replace the user's id with a pseudonym."""
        erase("account", str(user_id))


def register() -> None:
    """Register with stapel-core's GDPR registry. May be called twice."""
    if OWNER not in gdpr_registry.sections:
        gdpr_registry.register(AgentData())
    register_gdpr_owner(OWNER, list(SCOPES), erase)
    on_action("user.merged")(handle_user_merged)


def erase(subject_type: str, subject_key: str, workspace_id: str | None = None) -> dict[str, int] | None:
    """Remove the texts of an account's or a workspace's calls, and replace its id with a pseudonym.

    Returns how many records of each kind were found: zero the second time. Returns None for a subject type about which
    this app stores nothing.
    """
    if subject_type not in SCOPES or not subject_key:
        return None
    scope, old, new = SCOPES[subject_type], _stored_id(subject_key), pseudonymize(subject_key)
    if old == new:
        return {}
    flush_hits()
    column = f"{scope}_id"
    answers = on_ledger(partial(forget_idempotency, column, old))
    calls, translations = _erased(column, old, new)
    translations += on_ledger(partial(cache.forget_owned, column, old))  # also those of calls that were under way
    return {
        "calls": calls,
        "translations": translations,
        "idempotency_records": answers,
        "cache_hits": in_batches(partial(hand_over_hits, column, old, new)),
        "budgets": on_ledger(partial(hand_over_accounts, scope, old, new)),
    }


def handle_user_merged(event: Any) -> None:
    """Move the rows of the account that was merged away to the surviving account."""
    payload = getattr(event, "payload", None) or {}
    gone, survivor = (payload.get(name) for name in ("from_user_id", "into_user_id"))
    if not (gone and survivor):
        logger.error("user.merged has no from_user_id or no into_user_id: no rows are moved")
        return
    old, new = _stored_id(gone), _stored_id(survivor)
    if old == new:
        return
    flush_hits()
    on_ledger(partial(hand_over_idempotency, old, new))
    calls = in_batches(partial(scrubbing.hand_over_batch, old, new))
    in_batches(partial(hand_over_hits, "user_id", old, new))
    on_ledger(partial(hand_over_accounts, "user", old, new))
    on_ledger(partial(hand_over_translations, old, new))
    logger.info("%d calls of a merged account were moved to the surviving account", calls)


def _stored_id(identity: Any) -> str:
    return opaque_id(str(identity)) or ""


def _erased(column: str, old: str, new: str) -> tuple[int, int]:
    """Erase the calls of a name in batches. Returns how many, and how many translations were removed with them."""
    calls, translations = 0, 0
    while (found := on_ledger(partial(scrubbing.erase_batch, column, old, new)))[0]:
        calls, translations = calls + found[0], translations + found[1]
    return calls, translations


def _exported(user_id: str) -> dict[str, Iterator[dict[str, Any]]]:
    """Name -> entries, read one page at a time."""
    with suppress(Exception):  # counts that are not written yet can wait
        flush_hits()
    return {
        "calls": _entries(PromptLog, "created_at", CALL_FIELDS, user_id=user_id),
        "cache_hits": _entries(HitCount, "hour", HIT_FIELDS, user_id=user_id),
        "budgets": _entries(BudgetAccount, "starts_on", BUDGET_FIELDS, scope="user", identity=user_id),
        "idempotency_records": _entries(IdempotencyRecord, "created_at", ANSWER_FIELDS, user_id=user_id),
    }


def _entries(model: type[Model], moment: str, fields: tuple[str, ...], **whose: str) -> Iterator[dict[str, Any]]:
    """Yield rows by time and key, page by page. Each page begins after the last row of the previous one."""
    after: tuple[datetime, Any] | None = None
    while page := on_ledger(partial(_page, model, moment, fields, whose, after)):
        for row in page:
            yield {name: row[name] for name in fields}
        after = page[-1][moment], page[-1]["pk"]


def _page(
    model: type[Model], moment: str, fields: tuple[str, ...], whose: dict[str, str], after: Any, alias: str
) -> list[dict[str, Any]]:
    named = [exactly(name, value) for name, value in whose.items()]
    rows = model._default_manager.using(alias).filter(*named).order_by(moment, "pk")
    if after is not None:
        when, key = after
        behind = Q(**{f"{moment}__gt": when}) | Q(pk__gt=key)
        rows = rows.filter(behind, **{f"{moment}__gte": when})
    return list(rows.values("pk", *fields)[:PAGE])
