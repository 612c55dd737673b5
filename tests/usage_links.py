"""Reads the usage page: its figures, its bars, and the rows that they link to."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from stapel_agent.models import PromptLog

PAGE = "/admin/agent/promptlog/usage/"


@dataclass
class Figure:
    """A linked figure of the page. A bar has the kind "bar" and its label as the value."""

    kind: str
    address: str
    value: str = ""
    text: str = ""


class Figures(HTMLParser):
    """`found` has every linked figure, `addresses` every address on the page, and `text` the visible text."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.found: list[Figure] = []
        self.addresses: list[str] = []
        self.text = ""
        self._open: Figure | None = None
        assert response.status_code == 200
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.addresses.append(given["href"])
        if tag == "a" and ("data-figure" in given or "aria-label" in given):
            self._open = Figure(given.get("data-figure", "bar"), given["href"], given.get("aria-label", ""))
            self.found.append(self._open)
        if tag == "data" and self._open:
            self._open.value = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open = None

    def handle_data(self, data: str) -> None:
        self.text += f" {data.strip()}" if data.strip() else ""
        if self._open:
            self._open.text += data


def rows_behind(client: Any, address: str) -> list[PromptLog]:
    """All rows of the list at this address, on all pages."""
    path, _, query = address.partition("?")
    found: list[PromptLog] = []
    link = f"?{query}"
    while link:
        response = client.get(path + link)
        assert response.status_code == 200, (address, response.status_code)
        listing = response.context["cl"]
        found += PromptLog.objects.filter(pk__in=[row.pk for row in listing.result_list])
        link = listing.older_link
    return found
