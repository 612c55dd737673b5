"""Vendors' error codes and messages, and the exception for each. `error_response` applies these rules.

The error bodies that each rule is based on are in tests/providers/errors/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stapel_agent.exceptions import (
    AccessDenied,
    AnswerMissing,
    AnswerRefused,
    AnswerTruncated,
    OutOfCredit,
    ProviderDown,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)

EXCEPTION_BY_NAME: Mapping[str, type[ProviderError]] = {
    "auth": AccessDenied,
    "invalid_answer": AnswerMissing,
    "out_of_credit": OutOfCredit,
    "overloaded": ProviderUnavailable,
    "rate_limited": RateLimited,
    "refused": AnswerRefused,
    "rejected": RequestRejected,
    "timeout": ProviderTimeout,
    "truncated": AnswerTruncated,
}
"""The failures that a dialect's `error_codes` may name."""


@dataclass(frozen=True)
class Rule:
    """Matches an error that has one of these codes or words and one of these `statuses` (any if empty)."""

    exception: type[ProviderError]
    words: re.Pattern[str] | None = None
    codes: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()

    def holds(self, status: int, message: str, codes: frozenset[str]) -> bool:
        if self.statuses and status not in self.statuses:
            return False
        return not self.codes.isdisjoint(codes) or bool(self.words and self.words.search(message))


WORD_START = r"(?-i:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))"
WORD_END = r"(?-i:(?![A-Za-z])|(?<=[a-z])(?=[A-Z]))"


def words(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern for any of the `alternatives`, in any case, but not inside a word."""
    return re.compile(f"{WORD_START}(?:{'|'.join(alternatives)})", re.IGNORECASE)


def whole_words(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern for any of the `alternatives` that are not followed by the rest of a longer word."""
    return words(f"(?:{'|'.join(alternatives)}){WORD_END}")


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUDGET = "(?<!token )(?<!thinking )(?<!reasoning )budget"
EMPTY_ACCOUNT = words(
    r"credit balance is too low",
    r"insufficient[ _](?:account[ _])?(?:balance|credit|funds|quota)|not enough (?:balance|credit|funds)",
    r"(?:specified (?:workspace |organization )?|reached your )API usage limits",
    r"(?:used|exhausted|spent) all (?:of )?(?:your |its |the )?(?:available |remaining |prepaid )?credits?",
    r"(?:not|[a-z]{1,6}n't) have any credits|(?:no|out of) credits|credits? (?:are|is|has been) (?:depleted|exhausted)",
    r"requires more credits|credit limit exceeded|monthly included credits",
    rf"(?:spend(?:ing)?|billing hard|{BUDGET}) (?:limit|cap)(?: has been| was| is)? (?:reached|exceeded|hit)",
    r"(?:reached|exceeded|hit) (?:its|your|the) (?:\w+ )?(?:spend(?:ing)?|billing|budget) (?:limit|cap)",
    r"key limit exceeded|monthly (?:usage|spend(?:ing)?|budget) (?:limit|cap)",
    r"(?:out of|draw from your) extra usage",
    rf"{BUDGET} has been exceeded|exceeded ?budget|over budget",
    r"account is (?:not )?in good standing|arrearage|overdue[ -]?payment|bill is overdue|(?:pre)?payment required",
    r"account (?:is )?in arrears",
    r"free (?:tier|quota)(?: is not available|[^.]{0,60}(?:exhausted|used up))",
    r"used up your [^.]{0,20}free (?:allocation|quota)",
    "(?:余额|额度|资源包余量)(?:不足|已?用[尽完]|已?耗尽)|欠费|无可用资源包",
)
"""Messages about an empty account. No vendor uses these words for a rate limit."""

SPEND_LIMITS = _codes(
    "credit_balance_exhausted organization_usage_limit_exceeded organization_spend_limit_exceeded "
    "project_spend_limit_exceeded enforced_spend_limit_reached blocked_api_access"
)
"""Codes of OpenAI, Anthropic and Groq beside a type, or words, that may be those of another error."""

PACE = words(
    rf"rate.?limit|(?:per (?:second|minute|min|hour|day)s?|(?:try again|retry) (?:in|after)){WORD_END}",
    r"requests?_per_|tokens?_per_|too many tokens, please wait",
    r"allocated quota|quota exceeded for|quota ?increase|free_tier|too many requests|throttl|concurren",
    r"resource.{0,10}exhausted|usage limit reached|\b[RT]P[MD]\b|help\.aliyun\.com",
)

PASSED_ON = "(?:prompt|request|response|input|output|content|answer|message)s?"
CONTENT_FILTER = words(
    r"content (?:management|filtering|safety|usage|moderation) (?:polic|filter)|content[ _]?(?:filter|polic)",
    r"content violates|content exists risk",
    r"considered high risk|(?:input|prompt|content) (?:was|is) flagged|flagged (?:as|for) (?:potentially|possible)",
    r"our safety system|limited access to this content for safety|content you provided or machine outputted is blocked",
    r"(?:in|out)put \w+ may (?:contain risky|be related to copyright)",
    r"(?:inappropriate|(?<!case.)(?<!time.)sensitive) (?:content|information)(?!.type)|new_sensitive",
    r"violat(?:es?|ed|ion of) [^.]{0,30}(?:guardrail|moderation) polic|responsible ai practices",
    r"guardrail (?:checks? [^.]{0,30}failed|[^.]{0,40}(?:intervened|triggered|violat|blocked)|raised an exception)",
    r"blocked by [^.]{0,30}(?:guardrail|model armor)|blocked (?:entity|word|keyword)[^.]{0,60}guardrail",
    rf"{PASSED_ON} (?:was |is |has been )?blocked (?:due to|for) (?:security config|safety|content)",
    r"failed (?:the )?content safety check|prompt pattern is blocked|prompt threat detected",
    r"prompt injection (?:attack |attempt )?(?:was |is )?detected|this is a prompt injection attack",
    "敏感内容|敏感词",
)
"""Messages of a filter of the vendor or of a gateway. It declined to answer, and another vendor may not."""

BUSY = words(
    r"capacity (?:temporarily )?exceeded|at capacity|capacity limits?|overload",
    r"(?:high|unusual) (?:demand|traffic|load)",
    r"(?:model|system|server|service)s? (?:is |are )?(?:currently |too )?busy",
    "访问量过大|负载(?:较高|过高|已饱和)",
    r"has (?:unloaded or )?crashed",
)
"""Messages of a server that has no capacity left for anybody. That is not the limit of this account."""

REQUEST_NOT_RECEIVED = words(r"did(?: not|n't|n&#39;t) send a complete request")
"""HAProxy's message: it has forwarded nothing. Without it, a 408 may be that of a vendor that processed the request."""

A_LIMIT = r"(?:exceed|overflow|maximum|limit|larger|longer|greater|beyond|not fit|too small)"
CONTEXT = r"context (?:length|size|window)"
SENT = r"(?:prompt|inputs?|contexts?|messages?|conversation|history|text|sequence|content|request|query|string)"
TOO_LONG = words(
    rf"{A_LIMIT}[^.]{{0,60}}{CONTEXT}|{CONTEXT}[^.]{{0,40}}{WORD_START}{A_LIMIT}|{CONTEXT} is only",
    r"maximum (?:context|prompt) length|context the overflows|context shift is disabled",
    r"too many tokens(?!, please wait)",
    rf"{SENT}(?: length| size)?(?: (?:is|are|was|were|provided|given|sent))*(?: much| far| way)? too long",
)

WRONG_ADDRESS = words(
    r"unexpected endpoint", r"unknown (?:endpoint|url|request url)", r"no such endpoint", r"invalid url"
)

MONEY = whole_words(r"credits?|billing|(?<!load.)balances?|arrears|recharged?|(?:pre)?payments?", "余额|欠费")

RULES: tuple[Rule, ...] = (
    Rule(
        AnswerMissing,
        words(
            r"failed to (?:generate|validate) JSON|generated JSON does not match|json_validate_failed",
            r"failed to call a function|model produced invalid content",
        ),
        _codes("json_validate_failed tool_use_failed"),
        frozenset({400, 422}),
    ),
    Rule(
        AnswerTruncated,
        words(r"could not finish the (?:message|response|answer) because [^.]{0,60}(?:was|were) reached"),
        statuses=frozenset({400, 422}),
    ),
    Rule(
        AnswerRefused,
        CONTENT_FILTER,
        _codes(
            "content_filter content_policy_violation responsibleaipolicyviolation datainspectionfailed "
            "cyber_policy bio_policy misalignment_policy_violation "
            "data_inspection_failed sensitivecontentdetected hooks_failed prompt_threat_detected censorship_blocked "
            "inputtextsensitivecontentdetected inputtextriskdetection inputimagesensitivecontentdetected "
            "inputimageriskdetection outputtextsensitivecontentdetected outputtextriskdetection"
        ),
    ),
    Rule(OutOfCredit, EMPTY_ACCOUNT, SPEND_LIMITS, frozenset({400, 401, 402, 403, 412, 429, 500, 503})),
    Rule(ProviderUnavailable, BUSY, statuses=frozenset({429})),
    Rule(ProviderUnavailable, words(r"model has (?:unloaded or )?crashed"), statuses=frozenset({400})),
    Rule(ProviderDown, words(r"failed to load model|degraded function cannot"), statuses=frozenset({400})),
    Rule(ProviderUnavailable, REQUEST_NOT_RECEIVED, statuses=frozenset({408})),
    Rule(RequestRejected, TOO_LONG, statuses=frozenset({500})),
    Rule(RateLimited, PACE, statuses=frozenset({403, 429})),
    Rule(
        OutOfCredit,
        codes=_codes(
            "insufficient_quota insufficient_balance insufficient_balance_error insufficient_user_quota "
            "insufficient_credits insufficient_g1_credits_balance billing_error billing_hard_limit_reached "
            "billing_not_active exceeded_current_quota_error arrearage allocationquota.freetieronly budget_exceeded "
            "commoditynotpurchased setlimitexceeded"
        ),
    ),
    Rule(OutOfCredit, MONEY, statuses=frozenset({401, 402, 403, 429})),
    Rule(OutOfCredit, whole_words("quotas?"), statuses=frozenset({401, 402, 403})),
    Rule(
        AccessDenied,
        words(
            r"api.?key (?:is )?(?:not (?:valid|found)|invalid|expired|missing|incorrect|required)",
            r"(?:invalid|incorrect|expired|missing|wrong|no|valid) (?:\w+ )?api.?key",
            r"(?:multiple|invalid|missing) authentication credentials|credential is only authorized",
            r"requires terms acceptance|未开通",
            r"not allowed to use publisher model|use.case (?:details have not been submitted|form for this model)",
            r"organization has been (?:disabled|restricted)|user location is not supported",
        ),
        _codes("invalid_api_key api_key_invalid invalidapikey authentication_error unauthenticated"),
        frozenset({400, 404, 422, 500}),
    ),
    Rule(
        RateLimited,
        codes=_codes(
            "rate_limit_exceeded rate_limit_error rate_limit_reached_error throttling throttlingexception "
            "resource_exhausted too_many_requests"
        ),
        statuses=frozenset({400, 403, 413, 500, 503}),
    ),
    Rule(ProviderUnavailable, codes=_codes("engine_overloaded_error overloaded_error server_busy model_loading")),
)
"""The first rule that matches decides. If none matches, the status decides."""
