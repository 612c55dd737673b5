"""The error keys that this app's HTTP endpoints add to stapel-core's."""

from stapel_core.django.api.errors import register_service_errors

ERR_400_INVALID_IMAGE = "error.400.invalid_image"
ERR_400_INVALID_MODEL_SIZE = "error.400.invalid_model_size"
ERR_400_IDEMPOTENCY_KEYS_DIFFER = "error.400.idempotency_keys_differ"
ERR_409_IDEMPOTENCY_CONFLICT = "error.409.idempotency_conflict"
ERR_503_LEDGER_UNAVAILABLE = "error.503.ledger_unavailable"

ERRORS = {
    ERR_400_INVALID_IMAGE: "An image cannot be sent: {reason}",
    ERR_400_INVALID_MODEL_SIZE: "Unknown model size {model}: use one of {sizes}",
    ERR_400_IDEMPOTENCY_KEYS_DIFFER: "Idempotency-Key and the field idempotency_key differ: send one of them",
    ERR_409_IDEMPOTENCY_CONFLICT: "The idempotency key was used before with another payload: choose a new one",
    ERR_503_LEDGER_UNAVAILABLE: "The ledger cannot be read: check that its database is reachable and migrated",
}
REMEDIATION = {key: "retry" if key == ERR_503_LEDGER_UNAVAILABLE else "fix_input" for key in ERRORS}

register_service_errors(ERRORS, remediation=REMEDIATION, owner="stapel_agent", language="en")
