"""The shared parts of the HTTP views: authentication, JSON, waiting on an event loop, and OpenAPI."""

from .admission import SeesLedger, ServiceKeyAuthentication, StaffTokenAuthentication
from .json_exchange import AsciiJSONRenderer, BoundedJSONParser, JsonNegotiation, read_body_of_unknown_length
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
    "read_body_of_unknown_length",
]
