"""What `manage.py check` reports about settings that will not work."""

from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.utils import timezone

from stapel_agent.checks import check_providers, check_settings
from stapel_agent.providers.base import LlmProvider

TAG = ["stapel_agent"]


FIRST_CALL = {"stapel_agent.W003", "stapel_agent.W011"}
"""Findings for the first call: the shipped default has no key."""


def found(deploy: bool = False) -> list[str]:
    return [message.id for message in run_checks(tags=TAG, include_deployment_checks=deploy)]


def found_in_settings() -> list[str]:
    return [identity for identity in found() if identity not in FIRST_CALL]


class Lacking(LlmProvider):
    def configuration_error(self):
        return "its key is missing; set MINE_KEY"


class Raising(LlmProvider):
    def configuration_error(self):
        raise OSError("no")


def test_checks__shipped_defaults(settings):
    """The shipped defaults have no finding, except for the missing key."""
    settings.STAPEL_AGENT = {}
    assert [*check_providers(), *check_settings()] == []
    (message,) = run_checks(tags=TAG)
    assert (message.id, "ANTHROPIC_API_KEY" in message.msg) == ("stapel_agent.W003", True)


@pytest.mark.parametrize(
    ("keys", "sizes"),
    [
        ({}, ["small", "medium", "large"]),
        ({"OPENAI_COMPAT_MODELS": {"small": "llama3.2"}}, ["medium", "large"]),
        ({"OPENAI_COMPAT_MODELS": {"small": "llama3.2", "medium": ""}}, ["medium", "large"]),
        ({"OPENAI_COMPAT_MODELS": dict.fromkeys(["small", "medium", "large"], "llama3.2")}, []),
        ({"MODELS": {"small": "llama3.2"}}, []),
    ],
)
def test_checks__endpoint_without_a_model(agent, keys, sizes):
    """An endpoint that would get the name of an Anthropic model is reported, for each size, with the setting."""
    agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL="http://127.0.0.1:9/v1", **keys)
    messages = run_checks(tags=TAG)
    assert [message.id for message in messages] == ["stapel_agent.W011"] * len(sizes)
    for size, message in zip(sizes, messages, strict=True):
        assert f"the size {size!r}: set OPENAI_COMPAT_MODELS[{size!r}]" in message.msg


def test_checks__short_keys(agent, monkeypatch):
    """A key that is too short to be recognized in an encoded form is reported by its setting before a deployment."""
    monkeypatch.setenv("HOUSE_KEY", "short")
    house = {"base_url": "http://127.0.0.1:9/v1", "api_key": ["long-enough", {"env": "HOUSE_KEY"}]}
    agent(ANTHROPIC_API_KEY="7-signs", OPENAI_COMPAT_API_KEY="8-signs.", PROVIDERS={"house": house, "none": None})
    messages = [m for m in run_checks(tags=TAG, include_deployment_checks=True) if m.id == "stapel_agent.W017"]
    assert [message.msg.partition(" is shorter")[0] for message in messages] == [
        "ANTHROPIC_API_KEY",
        "PROVIDERS['house']['api_key']",
    ]
    assert not any(key in str(message) for message in messages for key in ("7-signs", "long-enough"))
    assert "stapel_agent.W017" not in found()


@pytest.mark.sdk
def test_checks__default_size_missing(agent):
    """MODELS without the default size of translations and commands is reported, with the fix."""
    agent(MODELS={"large": "claude-opus-4-8"}, ANTHROPIC_API_KEY="key-of-a-test")
    (message,) = run_checks(tags=TAG)
    assert (message.id, "'small'" in message.msg) == ("stapel_agent.W016", True)


@pytest.mark.parametrize(
    ("keys", "ids"),
    [
        ({"PROVIDERS": {"anthropic": None}}, ["stapel_agent.E001"]),
        ({"CACHE_POLICY": "no.such.Policy"}, ["stapel_agent.W005"]),
        ({"CACHE_POLICY": dict}, ["stapel_agent.W005"]),
        ({"CACHE_TTLS": 5}, ["stapel_agent.W006"]),
        ({"CLI_TIMEOUT": 0}, ["stapel_agent.E002"]),
        ({"IDEMPOTENCY_TTL": None}, ["stapel_agent.E002"]),
        ({"CACHE_SCOPE": {"llm_facade": "workspace"}}, []),
        ({"CACHE_SCOPE": {"llm_facade": "tenant"}}, ["stapel_agent.E004"]),
        ({"DEADLINE": 0}, ["stapel_agent.E002"]),
        ({"RETRIES": -1}, ["stapel_agent.E002"]),
        ({"IMAGE_MAX_BYTES": 0}, ["stapel_agent.E002"]),
        ({"FALLBACKS": {"anthropic": "openai-compat"}}, ["stapel_agent.E005"]),
        ({"FALLBACKS": {"anthropic": ["nobody"]}}, ["stapel_agent.E005"]),
        ({"FALLBACKS": {"anthropic": ["anthropic"]}}, ["stapel_agent.E005"]),
        ({"FALLBACKS": {"nobody": ["anthropic"]}}, ["stapel_agent.E005"]),
        ({"MAX_CONCURRENCY": {"anthropic": 0}}, ["stapel_agent.E005"]),
        ({"MAX_CONCURRENCY": {"nobody": 1}}, ["stapel_agent.E005"]),
        ({"MODELS": {}}, ["stapel_agent.E003"]),
        ({"MODELS": {"small": None}}, ["stapel_agent.E003"]),
        ({"MODELS": {"small": " ", "large": "l"}, "DEFAULT_PROVIDER": "openai-compat"}, ["stapel_agent.E003"]),
        ({"MODELS": {"small": ""}, "OPENAI_COMPAT_MODELS": {"small": "s"}, "DEFAULT_PROVIDER": "openai-compat"}, []),
        ({"OPENAI_COMPAT_MODELS": {"small": "s", "tiny": "t"}}, ["stapel_agent.W010"]),
    ],
)
def test_checks__wrong_setting(agent, keys, ids):
    """Each setting that will not work has its own finding."""
    agent(**keys)
    assert found_in_settings() == ids


PRICE = {"input": "1", "output": "2"}
HOUSE = {"base_url": "http://127.0.0.1:9/v1", "models": {"small": "qwen3:4b"}}
MISTRAL = {**HOUSE, "models": {"small": "mistral-medium-latest", "medium": "magistral-medium-latest"}}
AT_HOUSE = {"DEFAULT_PROVIDER": "house"}


@pytest.mark.parametrize(
    ("keys", "meant"),
    [
        *[
            ({key: {"tranlate": value}}, "translate")
            for key, value in {
                "CACHE_LOOKUP": True,
                "CACHE_SCOPE": "user",
                "EFFORT": "low",
                "PROMPT_CACHE": True,
                "LOG_CONTENT": "none",
            }.items()
        ],
        ({"CACHE_LOOKUP": {"llm-facade": True}}, "llm_facade"),
        ({"CACHE_LOOKUP": {"Translation": True}}, "translate"),
        ({"CACHE_LOOKUP": {"translate_ui": True, "transcribe": True, "moderation": False}}, None),
        ({"BUDGETS": [{"scope": "source", "id": "translat", "period": "day", "tokens": 1}]}, "translate"),
        ({"PROVIDERS": {"openai_compat": HOUSE}}, "openai-compat"),
        ({"DIALECTS": {"deepseak": {"hosts": ["llm.example.com"]}}}, "deepseek"),
        ({"PRICES": {"Claude-Sonnet-5": PRICE}}, "claude-sonnet-5"),
        ({"PRICES": {"anthropc/claude-sonnet-5": PRICE}}, "anthropic/claude-sonnet-5"),
        ({"PRICES": {"claude-sonet-5": PRICE, "claude-sonnet-5": PRICE}}, None),
        ({"PRICES": {"claude-sonnet-5": PRICE, "antropic/claude-sonnet-5": PRICE}}, None),
        ({"PRICES": {"claude-sonnet-4": PRICE, "text-embedding-3-small": PRICE}}, None),
        (
            {"PROVIDERS": {"house": HOUSE}, "PRICES": {"house/qwen3-4b": PRICE}, **AT_HOUSE},
            "house/qwen3:4b",
        ),
        ({"PROVIDERS": {"house": MISTRAL}, "PRICES": {"magistral-medium-latest": PRICE}, **AT_HOUSE}, None),
        ({"PROVIDERS": {"house": MISTRAL}, "PRICES": {"house/magistral-medium-latest": PRICE}, **AT_HOUSE}, None),
        ({"DIALECTS": {"grok": {"hosts": ["llm.example.com"]}}}, None),
    ],
)
def test_checks__misspelt_name(agent, keys, meant):
    """A name that looks like a misspelt one is reported with the right one. A host's own names are not."""
    agent(**keys)
    hints = [message.hint for message in run_checks(tags=TAG) if message.id == "stapel_agent.W019"]
    assert hints == [f"Did you mean {meant!r}?"] * (meant is not None)


def test_checks__unknown_key_is_guessed(agent):
    """The finding for a misspelt key suggests the right one."""
    agent(DEFUALT_PROVIDER="openai-compat")
    (message,) = check_settings()
    assert message.hint == "Did you mean 'DEFAULT_PROVIDER'?"


def test_check_providers__by_itself(agent):
    """The function that hosts may call returns the findings about providers."""
    agent(DEFAULT_PROVIDER="nobody", PROVIDERS={"mine": "no.such.Provider", "other": dict})
    assert [message.id for message in check_providers()] == [
        "stapel_agent.E001",
        "stapel_agent.W001",
        "stapel_agent.W002",
    ]


@pytest.mark.parametrize(
    ("provider", "text"),
    [(Lacking, "its key is missing; set MINE_KEY"), (Raising, "its check raised OSError")],
)
def test_checks__provider_in_use_lacks_something(agent, provider, text):
    """The provider in use is asked what it lacks. Others are not."""
    agent(PROVIDERS={"mine": provider}, DEFAULT_PROVIDER="mine", ANTHROPIC_API_KEY="")
    (message,) = run_checks(tags=TAG)
    assert (message.id, message.msg) == ("stapel_agent.W003", f"Provider 'mine' is not configured: {text}")


@pytest.mark.sdk
def test_checks__forgotten_middleware(agent, settings):
    """Before a deployment, a host with the endpoints is warned if no service can sign in."""
    agent(ANTHROPIC_API_KEY="key-of-a-test")
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "ServiceAPIKey" not in name]
    assert found(deploy=True) == ["stapel_agent.W004"]
    settings.ROOT_URLCONF = "tests.urls_without_agent"
    assert found(deploy=True) == []


@pytest.mark.sdk
def test_checks__no_key_of_services(agent, settings):
    """Besides the middleware, there must be a key of either kind, or no service can sign in."""
    agent(ANTHROPIC_API_KEY="key-of-a-test")
    for keys in (
        {"SERVICE_API_KEY": None},
        {"SERVICE_API_KEY": ""},
        {"SERVICE_API_KEY": "", "SERVICE_API_KEYS": {"app": ""}},
    ):
        for name, value in keys.items():
            setattr(settings, name, value)
        (message,) = run_checks(tags=TAG, include_deployment_checks=True)
        assert (message.id, message.msg) == ("stapel_agent.W004", "No service can call the agent: no key is set.")
        assert "Set SERVICE_API_KEY" in message.hint
    settings.SERVICE_API_KEYS = {"app": "its-key"}
    assert found(deploy=True) == []


@pytest.mark.parametrize("price", ["0,25", "$3", "-1", None, [1]])
def test_prices__wrong_amount(agent, price):
    """A price that is not an amount is named."""
    agent(PRICES={"m": {"input": "3", "output": "15", "cache_read": price}})
    assert [message.msg for message in check_settings()] == [
        f"STAPEL_AGENT['PRICES']['m'] has {str(price)!r} as 'cache_read': "
        "it must be US dollars per million tokens, such as '0.25'."
    ]


@pytest.mark.parametrize(
    "prices", [{"m": {}}, {"m": "3"}, {"m": {"input": 1}}, {"m": {"input": 1, "output": "dear"}}, [], "m"]
)
def test_prices__wrong(agent, prices):
    """An entry without a price is an error that shows a valid one."""
    agent(PRICES=prices)
    (found,) = [message for message in check_settings() if message.id == "stapel_agent.E008"]
    assert "must be US dollars per million tokens" in found.msg
    agent(PRICES={"m": {"input": "3", "output": "15"}})
    assert check_settings() == []


@pytest.mark.parametrize(
    "tiers", [7, {"flex": {"input": "1"}}, {"flex": 7}, {"flex": {"input": 1, "output": 2, "tiers": {}}}]
)
def test_prices__wrong_tier(agent, tiers):
    """A tier without a price is an error that names it."""
    agent(PRICES={"m": {"input": "1", "output": "2", "tiers": tiers}})
    (message,) = (message for message in run_checks(tags=TAG) if message.id not in FIRST_CALL)
    assert (message.id, "has an invalid tier, tiers" in message.msg) == ("stapel_agent.E008", True)


def test_prices__tiers(agent):
    """Prices per tier are valid."""
    agent(PRICES={"m": {"input": "1", "output": "2", "tiers": {"flex": {"input": "1", "output": "2"}}}})
    assert set(found()) <= FIRST_CALL


@pytest.mark.parametrize(("days", "ids"), [(60, []), (61, ["stapel_agent.W012"])])
def test_price_list__age(monkeypatch, days, ids):
    """Before a deployment, a price list older than sixty days is reported."""
    newest = timezone.now().date() - timedelta(days=days)
    monkeypatch.setattr("stapel_agent.checks.deployment_checks.list_date", lambda today: newest)
    told = {"stapel_agent.W012"}
    assert [name for name in found(deploy=True) if name in told] == ids
    assert not told.intersection(found())


def test_prices__unknown_key(agent):
    """A misspelt kind of token is named, with the valid ones."""
    agent(PRICES={"house-1": {"inptu": "3", "input": "3", "output": "15"}})
    (fault,) = check_settings()
    assert (fault.id, fault.msg) == (
        "stapel_agent.E008",
        "STAPEL_AGENT['PRICES']['house-1'] has the unknown key 'inptu': use "
        "input, output, cache_read, cache_write, cache_write_1h, tiers.",
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"scope": "user"}, "not {'scope': 'user'}."),
        (5, "not 5."),
        ("no.such.Policy", "not 'no.such.Policy' (No module named 'no')."),
        (dict, "not <class 'dict'> (it is not a subclass of stapel_agent.budgets.BudgetPolicy)."),
    ],
    ids=str,
)
def test_budgets__no_policy(agent, value, reason):
    """A value that is neither a list nor a policy is reported without Python's own message."""
    agent(BUDGETS=value)
    (fault,) = check_settings()
    kind = "BUDGETS must be a list of maps, or the dotted path of a BudgetPolicy"
    assert (fault.id, fault.msg) == ("stapel_agent.E006", f"{kind}, {reason}")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nope", "ImportError: nope doesn't look like a module path"),
        ("no.such.Policy", "ModuleNotFoundError: No module named 'no'"),
        (dict, "<class 'dict'>"),
    ],
)
def test_cache_policy__none(agent, value, reason):
    """W005 says in words what is wrong."""
    agent(CACHE_POLICY=value)
    (fault,) = check_settings()
    assert (fault.id, fault.msg) == ("stapel_agent.W005", f"CACHE_POLICY is not a cache policy: {reason}")


HOUSE = {"base_url": "http://127.0.0.1:9/v1", "models": {"small": "s", "medium": "m", "large": "l"}}
SPARE = {"base_url": "http://127.0.0.1:9/v1", "models": {"small": "s", "large": "l"}}


@pytest.mark.parametrize(
    ("spare", "models", "found"),
    [
        (HOUSE, {}, []),
        (
            SPARE,
            {},
            [
                (
                    "stapel_agent.W011",
                    "Provider 'spare' has no model for the size 'medium': set PROVIDERS['spare']['models']['medium'] "
                    "to a model of that endpoint; 'claude-sonnet-5' is an Anthropic model",
                )
            ],
        ),
        (
            SPARE,
            {"MODELS": {"small": "s", "medium": {"model": "m", "provider": "house"}, "large": "l"}},
            [
                (
                    "stapel_agent.W011",
                    "Provider 'spare' has no model for the size 'medium': set PROVIDERS['spare']['models']['medium']",
                )
            ],
        ),
        (SPARE, {"MODELS": {"small": "s", "medium": {"model": "m", "provider": "spare"}, "large": "l"}}, []),
        (
            {"base_url": "http://127.0.0.1:9/v1", "api_key": {"env": "NO_SUCH_KEY"}},
            {},
            [
                (
                    "stapel_agent.W003",
                    "Provider 'spare' is not configured: PROVIDERS['spare']['api_key'] names the environment variable "
                    "NO_SUCH_KEY, which is not set: set it",
                )
            ],
        ),
    ],
)
def test_checks__fallback(agent, spare, models, found):
    """A fallback is checked like the provider that is asked first, for the sizes of that provider."""
    agent(
        DEFAULT_PROVIDER="house", PROVIDERS={"house": HOUSE, "spare": spare}, FALLBACKS={"house": ["spare"]}, **models
    )
    assert [(message.id, message.msg) for message in run_checks(tags=TAG)] == found


def test_checks__price_of_no_model(agent):
    """A size for which a fallback has no model is not reported as a model without a price."""
    agent(
        DEFAULT_PROVIDER="house",
        PROVIDERS={"house": HOUSE, "spare": SPARE},
        MODELS={"small": "s", "medium": {"model": "m", "provider": "house"}, "large": "l"},
        FALLBACKS={"house": ["spare"]},
        BUDGETS=[{"scope": "all", "period": "day", "usd": "5"}],
        PRICES={model: {"input": "1", "output": "1"} for model in "sml"},
    )
    assert "stapel_agent.W007" not in found(deploy=True)


def test_checks__invalid_profile(agent):
    """A profile with an invalid key is reported once, without findings about the model that it names."""
    agent(
        MODELS={"small": "s", "large": {"model": "l", "temprature": 1}},
        DEFAULT_PROVIDER="house",
        PROVIDERS={"house": {"base_url": "http://127.0.0.1:9/v1"}},
    )
    (message,) = run_checks(tags=TAG)
    assert (message.id, message.msg) == (
        "stapel_agent.E003",
        "STAPEL_AGENT['MODELS']['large'] has an unknown key 'temprature': use "
        "model, provider, effort, max_tokens, options.",
    )


def test_checks__one_of_several_keys(agent, monkeypatch):
    """A key that is empty or not set is reported, although calls work with the other keys."""
    monkeypatch.setenv("HOUSE_KEY", "key-of-a-test")
    keys = [{"env": "HOUSE_KEY"}, {"env": "HOUSE_SECOND_KEY"}]
    agent(DEFAULT_PROVIDER="house", PROVIDERS={"house": {**HOUSE, "api_key": keys}})
    (message,) = run_checks(tags=TAG)
    text = "PROVIDERS['house']['api_key'] names the environment variable HOUSE_SECOND_KEY, which is not set"
    assert (message.id, message.msg) == ("stapel_agent.W003", f"{text}: calls use the other keys.")
    monkeypatch.setenv("HOUSE_SECOND_KEY", "key-of-a-test-2")
    assert run_checks(tags=TAG) == []
    agent(PROVIDERS={"house": {**HOUSE, "api_key": [{"env": "HOUSE_KEY"}, ""]}})
    (message,) = run_checks(tags=TAG)
    text = "PROVIDERS['house']['api_key'] has an empty key"
    assert (message.id, message.msg) == ("stapel_agent.W003", f"{text}: calls use the other keys.")


def test_checks__budgets(agent):
    """Checks report models without a price and calls that name nobody, but not to cron; bounds before a deployment."""
    agent(
        DEFAULT_PROVIDER="house",
        PROVIDERS={"house": HOUSE, "spare": {**HOUSE, "models": dict.fromkeys(HOUSE["models"], "spare-1")}},
        FALLBACKS={"house": ["spare"]},
        PRICES=dict.fromkeys(HOUSE["models"].values(), {"input": "1", "output": "2"}),
        BUDGETS=[{"scope": "user", "period": "day", "usd": "5"}],
    )
    assert run_checks(tags=["stapel_agent_settings"]) == []
    told = {message.id: message.msg for message in run_checks(tags=TAG)}
    assert told.keys() == {"stapel_agent.W007", "stapel_agent.W013"}
    assert told["stapel_agent.W007"] == (
        "BUDGETS limits dollars, but models of 'spare' have no price, so no dollars are reserved for their calls: "
        "['spare-1']."
    )
    assert "BUDGETS[0] has no 'without_id'" in told["stapel_agent.W013"]
    told = [m.msg for m in run_checks(tags=TAG, include_deployment_checks=True) if m.id == "stapel_agent.W015"]
    assert [text for text in told if "'house'" in text] == [
        "BUDGETS is set, but calls to 'house' may cost more than reserved: nothing limits their images, if they have "
        "any, because the vendor's image tokens are unknown."
    ]
