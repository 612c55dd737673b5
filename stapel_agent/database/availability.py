"""Reports an unreachable or unmigrated database in one readable sentence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error

from stapel_agent.exceptions import LedgerUnavailable
from stapel_agent.redaction import describe

logger = logging.getLogger(__name__)


@contextmanager
def reading() -> Iterator[None]:
    """Wrap a read of the ledger. Database errors become LedgerUnavailable."""
    try:
        yield
    except Error as fault:
        logger.debug("the ledger cannot be read: %s", describe(fault))
        raise LedgerUnavailable(
            f"the ledger cannot be read ({type(fault).__name__}): check that its database is reachable and migrated"
        ) from None
