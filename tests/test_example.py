"""The example as a newcomer runs it: from the command line, with the real small model."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scripted_server import ...

EXAMPLE = Path(__file__).parent.parent / "example"
