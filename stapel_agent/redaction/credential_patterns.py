"""Patterns of credentials: the keys of vendors, tokens, passwords, and the queries of URLs."""

from __future__ import annotations

import re

# Every quantifier is bounded or the only one, so a long hostile text takes linear time.
CREDENTIALS = re.compile(
    r"""
    \b(?:sk|pk|rk|gsk|xai|hf|gh[opsu]|github_pat)[-_][A-Za-z0-9_\-]{6,512}
    | \b(?:nvapi-|tgp_v1_)[A-Za-z0-9_\-]{16,512} | \b(?:csk-|pplx-|fw_|r8_)[A-Za-z0-9]{20,512}
    | \bya29\.[A-Za-z0-9_\-.]{16,4096} | \bAIza[A-Za-z0-9_\-]{20,512} | \bA[KS]IA[A-Z0-9]{16}  # vendors' prefixes
    | \b[0-9a-f]{32}\.[A-Za-z0-9]{16}\b                            # an id and a secret, as of Zhipu
    | \beyJ[A-Za-z0-9_\-]{4,4096}\.[A-Za-z0-9_\-.]{4,8192}         # a JSON Web Token
    | (?i:bearer|basic)[ ][^\s"',;]{4,4096}                       # Authorization: Bearer ...
    | \bxox[a-z]-[A-Za-z0-9\-]{10,512}                            # Slack
    | -----BEGIN[ ][A-Z ]{0,40}PRIVATE[ ]KEY-----[^-]{1,16384}    # PEM
    | (?i:\b(?:set-)?cookie)["']?:[ ]{0,4}["']?[^\r\n"']{4,4096}
    | (?<=://)[^/\s@:]{0,256}:[^/\s@]{1,256}(?=@)                 # user:password in a URL
    | (?i:(?:api|access|account)[-_]?key|password|passwd|pwd|secret|token|authorization)["']?\s{0,4}[=:]\s{0,4}b?["']?
      (?:(?i:bearer|basic|token|apikey|digest|negotiate)[ ])?[^\s"',;&]{4,4096}  # key=value, "key": "value"
    """,
    re.VERBOSE,
)

# Always matches to the end of a URL, so that no part is scanned twice.
URL = re.compile(r"""(https?://[^\s"'<>?#]*+)(\?[^\s"'<>]*+)?""", re.IGNORECASE)
