"""A database that does not answer, or is not migrated, as one sentence for people."""

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
    """Around a look at the ledger. Raises LedgerUnavailable in place of what the database raises."""
    try:
        yield
    except Error as fault:
        logger.debug("the ledger cannot be read: %s", describe(fault))
        raise LedgerUnavailable(
            f"the ledger cannot be read ({type(fault).__name__}): see that its database answers and is migrated"
        ) from None
