"""The models: PromptLog is the ledger, HitCount and BudgetAccount are sums, and the others hold temporary rows."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone
from stapel_core.access import access


class PromptSource(models.TextChoices):
    LLM_FACADE = "llm_facade", "Completion"
    TRANSLATE = "translate", "Translation"
    OTHER = "other", "Other"


class PromptStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    SUCCESS = "success", "Success"
    FAILURE = "failure", "Failure"
    TIMEOUT = "timeout", "Timeout"
    ERROR = "error", "Error"


class CostBasis(models.TextChoices):
    PROVIDER = "provider", "Provider"
    PRICE_LIST = "price_list", "Price list"
    ESTIMATED = "estimated", "Estimated"
    UNPRICED = "unpriced", "Unpriced"


class CreationField(models.DateTimeField):  # type: ignore[type-arg]
    """A DateTimeField with `auto_now_add` that prefers the instance's `opened_at`, a time of the database's clock."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        opened_at = vars(model_instance).get("opened_at")
        if not add or opened_at is None:
            return super().pre_save(model_instance, add)
        setattr(model_instance, self.attname, opened_at)
        return opened_at

    def deconstruct(self) -> Any:
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", arguments, options


@access.ops
class PromptLog(models.Model):
    """One provider call: its prompt, its answer and its usage.

    Input, output, cache reads and cache writes are disjoint: `input_tokens` excludes the cached ones.
    `thinking_tokens` is the part of `output_tokens` spent on thinking. `user_id` and `workspace_id` are not foreign
    keys, so rows survive the deletion of their users.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request_id = models.UUIDField(null=True, help_text="The same for all calls of one request.")
    source = models.CharField(max_length=32, choices=PromptSource.choices)
    provider = models.CharField(max_length=64, null=True, blank=True)
    model = models.CharField(max_length=128)
    model_size = models.CharField(max_length=16)
    prompt = models.TextField()
    system_prompt = models.TextField(null=True, blank=True)
    response = models.TextField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=PromptStatus.choices)
    error_message = models.TextField(null=True, blank=True)
    input_tokens = models.IntegerField(null=True, blank=True)
    output_tokens = models.IntegerField(null=True, blank=True)
    thinking_tokens = models.IntegerField(null=True, blank=True)
    cache_read_tokens = models.IntegerField(null=True, blank=True)
    cache_write_tokens = models.IntegerField(null=True, blank=True)
    cost_usd = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        blank=True,
        help_text="US dollars, computed when the call was made.",
    )
    cost_basis = models.CharField(
        max_length=16, choices=CostBasis.choices, null=True, blank=True, help_text="Where the cost comes from."
    )
    estimated_cost_usd = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        null=True,
        blank=True,
        help_text="The most it may have cost beyond cost_usd, in US dollars, if its outcome is unknown.",
    )
    estimated_tokens = models.BigIntegerField(
        null=True, blank=True, help_text="The most tokens that it may have used beyond the known ones."
    )
    duration_ms = models.IntegerField(null=True, blank=True)
    user_id = models.CharField(max_length=64, null=True, blank=True)
    workspace_id = models.CharField(max_length=64, null=True, blank=True)
    metadata = models.JSONField(null=True, blank=True)
    cache_key = models.CharField(
        max_length=64, null=True, help_text="SHA-256 of everything that affects what a right answer is."
    )
    created_at = CreationField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, help_text="When its process last reported that the call is in progress.")
    scrubbed_at = models.DateTimeField(null=True, help_text="When its texts were removed; its figures stay.")

    class Meta:
        db_table = "agent_prompt_log"
        verbose_name = "prompt log"
        verbose_name_plural = "prompt log"
        indexes = [
            models.Index(fields=["source", "-created_at"], name="agent_source_created_idx"),
            models.Index(fields=["cache_key", "-created_at"], name="agent_cache_key_idx"),
            models.Index(fields=["request_id"], name="agent_request_idx"),
            # Not `db_index=True`, which adds a second index on PostgreSQL, for searches by prefix.
            models.Index(fields=["status"], name="agent_status_idx"),
            models.Index(fields=["user_id", "-created_at"], name="agent_user_created_idx"),
            models.Index(fields=["workspace_id", "-created_at"], name="agent_workspace_created_idx"),
            # Finds the next rows to scrub without reading scrubbed ones. MariaDB does not support partial indexes.
            models.Index(fields=["scrubbed_at", "created_at"], name="agent_scrubbed_idx"),
            # Covers the queries of `accounting`, which then read no rows: a row is several times as large as its entry.
            models.Index(
                fields=[
                    *("created_at", "workspace_id", "user_id", "source", "provider", "model", "status", "cost_basis"),
                    *("cost_usd", "input_tokens", "output_tokens", "thinking_tokens"),
                    *("cache_read_tokens", "cache_write_tokens", "estimated_cost_usd", "estimated_tokens"),
                ],
                name="agent_usage_idx",
            ),
            models.Index(fields=["created_at", "duration_ms"], name="agent_duration_idx"),
        ]

    def __str__(self) -> str:
        return f"Call {self.pk}"  # titles show it, so it quotes no column that an admin may mask


class HitCount(models.Model):
    """How many calls the cache saved in one hour, for one caller and model, and the usage of the original calls.

    Only `cache.hit_counts` writes it. There is no status column, because only successful answers are reused.
    """

    digest = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the hour and the five names.")
    hour = models.DateTimeField(db_index=True, help_text="Its beginning.")
    source = models.CharField(max_length=32)
    provider = models.CharField(max_length=64)
    model = models.CharField(max_length=128)
    user_id = models.CharField(max_length=64, null=True)
    workspace_id = models.CharField(max_length=64, null=True)
    hits = models.BigIntegerField(default=0)
    saved_tokens = models.BigIntegerField(default=0)
    saved_cost_usd = models.DecimalField(max_digits=20, decimal_places=10, default=Decimal(0))

    class Meta:
        db_table = "agent_hit_count"
        indexes = [
            models.Index(fields=["user_id"], name="agent_hit_user_idx"),
            models.Index(fields=["workspace_id"], name="agent_hit_workspace_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.hits} {self.source} {self.model}"


class Flight(models.Model):
    """A question that some process is asking a provider now. The key is unique, so each question has one leader.

    Only `sharing` creates and deletes rows.
    """

    key = models.CharField(max_length=64, primary_key=True, help_text="The cache key of the question.")
    request_id = models.UUIDField(help_text="The id of the request; its rows in the ledger have the outcome.")
    lease = models.UUIDField(null=True, help_text="Of the caller that leads: a request may lead several flights.")
    seen_at = models.DateTimeField(help_text="When its process last renewed it.")

    class Meta:
        db_table = "agent_flight"

    def __str__(self) -> str:
        return self.key


class Translation(models.Model):
    """A stored translation for reuse. Its key covers the text, the languages and everything else that affects it.

    Only `cache` writes it. It is not a record of a call: the ledger has the call that paid for it.
    """

    key = models.CharField(
        max_length=64, primary_key=True, help_text="SHA-256 of everything that affects what a right translation is."
    )
    text = models.TextField()
    provider = models.CharField(max_length=64)
    model = models.CharField(max_length=128)
    request_id = models.UUIDField(help_text="Of the request that it was made for.", db_index=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    source_text = models.TextField(null=True)
    from_lang = models.CharField(max_length=64, null=True)
    to_lang = models.CharField(max_length=64, null=True)
    user_id = models.CharField(max_length=64, null=True, db_index=True, help_text="Who asked for it.")
    workspace_id = models.CharField(max_length=64, null=True, db_index=True)

    class Meta:
        db_table = "agent_translation"
        verbose_name = "stored translation"

    def __str__(self) -> str:
        return self.key


class IdempotencyRecord(models.Model):
    """One caller's idempotency key: the call that it identifies, and the answer once there is one.

    Only `sharing` creates and deletes rows.
    """

    digest = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the caller and the key.")
    payload_digest = models.CharField(max_length=64, help_text="SHA-256 of the whole request.")
    request_id = models.UUIDField(help_text="The id of the request; its rows in the ledger have the outcome.")
    lease = models.UUIDField(
        help_text="The id of the call that fetches the answer; it changes if another call takes over."
    )
    answer = models.TextField(null=True, help_text="As JSON in ASCII, which keeps order and every character.")
    seen_at = models.DateTimeField(help_text="When its process last renewed it.")
    user_id = models.CharField(max_length=64, null=True, help_text="The user, as in the ledger.")
    workspace_id = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "agent_idempotency"
        indexes = [
            models.Index(fields=["user_id"], name="agent_idempotency_user_idx"),
            models.Index(fields=["workspace_id"], name="agent_idempotency_ws_idx"),
        ]

    def __str__(self) -> str:
        return self.digest


class BudgetAccount(models.Model):
    """The amounts that a user, a workspace, a source or all calls together spent and reserved in a day or month.

    `spent_*` are the sums of the ledger's rows in that period. Only `budgets` writes it.
    """

    key = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of scope, identity, period and start.")
    scope = models.CharField(max_length=16)
    identity = models.CharField(max_length=64, blank=True)
    period = models.CharField(max_length=8)
    starts_on = models.DateField(db_index=True, help_text="In UTC.")
    spent_nanos = models.BigIntegerField(default=0, help_text="Billionths of a US dollar.")
    spent_tokens = models.BigIntegerField(default=0)
    reserved_nanos = models.BigIntegerField(default=0)
    reserved_tokens = models.BigIntegerField(default=0)
    limit_nanos = models.BigIntegerField(null=True, help_text="As last applied.")
    limit_tokens = models.BigIntegerField(null=True, help_text="As last applied.")
    is_counted = models.BooleanField(default=False, help_text="Whether the ledger's earlier rows are in it.")
    is_warned = models.BooleanField(default=False)

    class Meta:
        db_table = "agent_budget"

    def __str__(self) -> str:
        return f"{self.scope} {self.identity} {self.period} {self.starts_on}"


class Reservation(models.Model):
    """The estimated cost of a running call, reserved in its accounts. Only `budgets.reservations` writes it."""

    row_id = models.UUIDField(primary_key=True, help_text="Of the call's row in the ledger.")
    nanos = models.BigIntegerField()
    tokens = models.BigIntegerField()
    accounts = models.JSONField(help_text="Keys of the accounts.")

    class Meta:
        db_table = "agent_reservation"

    def __str__(self) -> str:
        return str(self.row_id)
