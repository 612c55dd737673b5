"""Error codes of single vendors, each with its failure. docs/dialects.md lists the sources."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ZAI: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("1000", "1001", "1002", "1003", "1004", "1110", "1111", "1112"), "auth"),
        **dict.fromkeys(("1113", "1309"), "out_of_credit"),
        **dict.fromkeys(("1302", "1303", "1304", "1308", "1310"), "rate_limited"),
        **dict.fromkeys(("1305", "1312", "1234", "500"), "overloaded"),
        "1301": "refused",
    }
)
MISTRAL: Mapping[str, str] = MappingProxyType({"3505": "overloaded"})
