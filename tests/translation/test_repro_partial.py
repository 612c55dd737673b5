import json
import pytest
from stapel_agent import CachePolicy
from stapel_agent.types import Completion
from stapel_agent.testing import translating
pytestmark = pytest.mark.django_db

class LatePolicy(CachePolicy):
    """Another process keeps one of two texts after this one has looked them up, and before it comes to lead."""
    lookups = 0
    def lookup_many(self, requests):
        LatePolicy.lookups += 1
        if LatePolicy.lookups < 3:
            return [None] * len(requests)
        return [Completion("A", "anthropic", "m") if r.prompt == "a" else None for r in requests]

def test_find__partial(facade, agent, scripted_model):
    LatePolicy.lookups = 0
    agent(CACHE_POLICY=LatePolicy)
    scripted_model.script(translating(str.upper))
    answer = facade.translate("en", "de", {"1": "a", "2": "b"})
    assert answer["result"] == {"1": "A", "2": "B"}
    assert [json.loads(r.prompt) for r in scripted_model.requests] == [{"1": "b"}]
