"""HTTP status codes, and the exception for each. The rules in `error_rules` come first."""

from __future__ import annotations

from collections.abc import Mapping

from stapel_agent.exceptions import (
    AccessDenied,
    OutOfCredit,
    ProviderDown,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RequestInterrupted,
    RequestRejected,
)

EXCEPTION_BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: AccessDenied,
    402: OutOfCredit,
    403: AccessDenied,
    407: AccessDenied,
    409: ProviderUnavailable,
    424: ProviderUnavailable,  # Bedrock, TGI: the model failed
    425: ProviderUnavailable,
    429: RateLimited,
    498: ProviderUnavailable,  # Groq: no capacity for the flex tier
    500: ProviderUnavailable,
    502: ProviderUnavailable,
    503: ProviderUnavailable,
    529: ProviderUnavailable,
    # These redirects ask to send the same request to another address (RFC 9110, 15.4).
    **dict.fromkeys((301, 302, 307, 308), ProviderDown),
    # A gateway or the vendor gave up. The request may still be processed and billed: Azure bills a 408, and LiteLLM
    # answers it after it has forwarded the request. 520 to 524 are Cloudflare's.
    **dict.fromkeys((408, 499, 504, *range(520, 525), 598, 599), RequestInterrupted),
}

EXCEPTION_BY_CLASS: Mapping[int, type[ProviderError]] = {4: RequestRejected, 5: ProviderDown}
"""The first digit of any other status -> its exception."""

STATUS_BY_TYPE: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Error type -> the status it stands for, for errors inside a stream or a 200 answer, which have no status."""


def exception_by_status(status: int) -> type[ProviderError]:
    """Return the exception for an error status that no rule matches. A status that is no error says nothing."""
    return EXCEPTION_BY_STATUS.get(status) or EXCEPTION_BY_CLASS.get(status // 100, RequestInterrupted)
