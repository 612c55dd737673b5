"""What the Claude Code CLI prints with `--output-format json --verbose`, read into an answer or a fault."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from stapel_agent.exceptions import (
    AccessDenied,
    InvalidAnswer,
    OutOfCredit,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from stapel_agent.types import Usage

from .anthropic import FINISH_REASONS
from .base import ProviderResult
from .http import EMPTY_ACCOUNT, classify, excerpt
from .process import Outcome
