"""What the HTTP views share: whom they admit, how they read, answer and wait, and their description in OpenAPI."""

from .admission import SeesLedger, ServiceKeyAuthentication, StaffTokenAuthentication
from .json_exchange import AsciiJSONRenderer, BoundedJSONParser, JsonNegotiation
from .loop_posts import LoopPostMixin
from .openapi import KEY_HEADER, KEY_META, REQUEST_HEADER, EndpointSchema, UsageSchema

__all__ = [
    "AsciiJSONRenderer",
    "BoundedJSONParser",
    "EndpointSchema",
    "JsonNegotiation",
    "KEY_HEADER",
    "KEY_META",
    "LoopPostMixin",
    "REQUEST_HEADER",
    "SeesLedger",
    "ServiceKeyAuthentication",
    "StaffTokenAuthentication",
    "UsageSchema",
]
