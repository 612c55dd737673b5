"""One call for everybody who asks the same: at the same moment, or again under the same idempotency key."""

from .flight_outcome import sweep as sweep_flights
from .idempotency import Once
from .idempotency_records import forget as forget_idempotency
from .idempotency_records import hand_over as hand_over_idempotency
from .idempotency_records import stale as stale_idempotency
from .idempotency_records import sweep as sweep_idempotency
from .single_flight import WAITING_LOGGER, SingleFlight

__all__ = [
    "Once",
    "SingleFlight",
    "WAITING_LOGGER",
    "forget_idempotency",
    "hand_over_idempotency",
    "stale_idempotency",
    "sweep_flights",
    "sweep_idempotency",
]
