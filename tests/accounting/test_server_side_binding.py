"""Figures of a host whose server binds the parameters of statements, as an option of psycopg has it."""

from __future__ import annotations

from tests.hosts import Host

FIGURES = """
from decimal import Decimal
if connection.vendor == "postgresql":
    connections.settings["default"]["OPTIONS"]["server_side_binding"] = True
from stapel_agent import record_call, usage
from stapel_agent.cache import hit_counts
from stapel_agent.pages.list_totals import Totals
from stapel_agent.types import CompletionRequest, Saving
request = CompletionRequest("p", "small", "anthropic", "llm_facade", 5, "m")
for _ in range(2):
    record_call(source="other", provider="house", model="m", input_tokens=2**31 - 1, cost_usd="12.3000000001")
    hit_counts.note(request, 2**32 + 1, Saving(2**33 + 1, Decimal("0.5")))
    hit_counts.flush()
listed, used = Totals.of(PromptLog.objects.all()), usage()["totals"]
say([str(listed.cost_usd), listed.tokens, *(str(used[name]) for name in ("cost_usd", "saved_tokens", "cache_hits"))])
"""


def test_figures__of_many_bits(host: Host) -> None:
    """Sums are exact even if their parts do not fit into 32 bits."""
    cost, tokens, saved, hits = "24.6000000002", 2 * (2**31 - 1), 2 * (2**33 + 1), 2 * (2**32 + 1)
    assert host.run(FIGURES) == [cost, tokens, cost, str(saved), str(hits)]
