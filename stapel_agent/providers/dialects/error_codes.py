"""Error codes of single vendors, each with its failure. docs/dialects.md lists the sources."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ZAI: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("1000", "1001", "1002", "1003", "1004", "1110", "1111", "1112", "1121", "1311"), "auth"),
        **dict.fromkeys(("1113", "1309"), "out_of_credit"),
        **dict.fromkeys(("1302", "1303", "1304", "1308", "1310"), "rate_limited"),
        **dict.fromkeys(("1305", "1312", "1234", "500"), "overloaded"),
        "1301": "refused",
    }
)
MINIMAX: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("1004", "2049"), "auth"),
        **dict.fromkeys(("1000", "1013", "1024", "1033", "2064"), "overloaded"),
        **dict.fromkeys(("1002", "1039", "1041", "2045", "2056"), "rate_limited"),
        **dict.fromkeys(("1008", "2061"), "out_of_credit"),
        **dict.fromkeys(("1026", "1027"), "refused"),
        **dict.fromkeys(("1042", "2013"), "rejected"),
        "1001": "timeout",
    }
)
"""The codes of `base_resp`, a field that no other vendor has. It needs no dialect."""

OPENROUTER: Mapping[str, str] = MappingProxyType({"in_flight_budget_exhausted": "rate_limited"})
"""A 402 for calls under way that reserve all of the balance. It ends with them."""

MISTRAL: Mapping[str, str] = MappingProxyType({"3505": "overloaded"})
