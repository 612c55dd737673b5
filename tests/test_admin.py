"""The ledger in the admin: who may see it, and what is shown."""

import re
import uuid
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.urls import reverse
from stapel_core.django.admin.base import MASK_PLACEHOLDER

from stapel_agent.admin import PromptLogAdmin
from stapel_agent.ledger.columns import TOKEN_FIELDS
from stapel_agent.models import PromptLog, Translation
from stapel_agent.pages.call_page import LINKED_CALLS
from stapel_agent.pages.translation_admin import TranslationAdmin

from .prompt_logs import LIST, NOON, change_page, written

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture
def account(django_user_model):
    """Create accounts: `account("name", is_staff=True)`."""

    def create(username="somebody", *, codenames=(), **fields):
        user = django_user_model.objects.create_user(username, f"{username}@example.com", "password", **fields)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return user

    return create


@pytest.fixture(autouse=True)
def utc(settings):
    """Times are shown in the host's time zone: here UTC."""
    settings.TIME_ZONE = "UTC"


class Cells(HTMLParser):
    """The text of every cell of the list and of every read-only field, by its column's name, line by line."""

    def __init__(self, response):
        super().__init__()
        self.rows, self._name = [], None
        self.feed(response.content.decode())

    def handle_starttag(self, tag, attrs):
        names = re.findall(r"\bfield-(\w+)", dict(attrs).get("class") or "")
        if tag == "tr":
            self.rows.append({})
        if tag in {"td", "th"} and names:
            (self._name,) = names
            self.rows[-1][self._name] = ""

    def handle_endtag(self, tag):
        if tag == "div" and self._name:
            self.rows[-1][self._name] += "\n"
        if tag in {"td", "th"}:
            self._name = None

    def handle_data(self, data):
        if self._name:
            self.rows[-1][self._name] += data


def cells(response) -> list[dict[str, str]]:
    return [row for row in Cells(response).rows if row]


# Access

MANDATE = {
    "AUTHENTICATION_BACKENDS": [
        "stapel_core.access.backend.MandateBackend",
        "stapel_core.access.backend.AuditedModelBackend",
    ]
}


STAFF = {
    "staff": ({"is_staff": True}, {}, 403),
    "view": ({"is_staff": True, "codenames": ["view_promptlog"]}, {}, 200),
    "change": ({"is_staff": True, "codenames": ["change_promptlog"]}, {}, 200),
    "editor": ({"is_staff": True, "staff_roles": ["editor"]}, MANDATE, 403),
    "admin": ({"is_staff": True, "staff_roles": ["admin"]}, MANDATE, 200),
    "ops shown": ({"is_staff": True}, {"STAPEL_ADMIN": {"SHOW_OPS_MODELS": True}}, 200),
    "superuser": ({"is_staff": True, "is_superuser": True}, {}, 200),
}
"""The fields of a user, the host's settings, and the status of what only staff with a right may see."""


def visitors(**others):
    rows = {**others, **STAFF}
    return pytest.mark.parametrize(("fields", "host", "status"), rows.values(), ids=rows.keys())


@pytest.mark.any_database
@visitors(anonymous=(None, {}, 302), user=({}, {}, 302))
def test_view__permission(client, account, settings, fields, host, status):
    """The list, its rows and their figures are shown to those whom stapel-core's access rules allow to see them."""
    for name, value in host.items():
        setattr(settings, name, value)
    row = written()
    if fields is not None:
        client.force_login(account(**fields), settings.AUTHENTICATION_BACKENDS[-1])
    pages = LIST, change_page(row), f"{LIST}usage/"
    assert [client.get(page).status_code for page in pages] == [status] * 3


@pytest.mark.any_database
@pytest.mark.parametrize("category", ["ops", "business", "secret"])
@pytest.mark.parametrize("superuser", [True, False])
def test_mutation__denied(client, account, settings, category, superuser):
    """Nobody can add, change or delete, with any permission and any category of the model."""
    settings.STAPEL_ADMIN = {"MODELS": {"agent.PromptLog": {"category": category}}}
    codenames = [f"{action}_promptlog" for action in ("view", "add", "change", "delete")]
    client.force_login(account(is_staff=True, is_superuser=superuser, codenames=codenames))
    row = written()
    change, deletion = change_page(row), f"{LIST}{row.pk}/delete/"
    answers = [
        client.get(f"{LIST}add/"),
        client.post(f"{LIST}add/", {"prompt": "new"}),
        client.post(change, {"prompt": "changed", "_save": "Save"}),
        client.post(change, {"prompt": "copied", "_saveasnew": "1"}),
        client.get(deletion),
        client.post(deletion, {"post": "yes"}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 6
    assert list(PromptLog.objects.values_list("pk", "prompt")) == [(row.pk, "say")]


def test_mutation__no_action(admin_client, monkeypatch):
    """The list offers and runs no action, not even one of the whole site."""
    monkeypatch.setitem(site._actions, "erase", lambda model_admin, request, queryset: queryset.delete())
    row = written()
    answer = admin_client.post(LIST, {"action": "erase", "_selected_action": str(row.pk), "index": "0"})
    assert PromptLog.objects.filter(pk=row.pk).exists()
    assert b'name="action"' not in answer.content


# The list


def test_list__row(admin_client):
    """The cells of a row in the list."""
    written(
        status="timeout",
        source="translate",
        input_tokens=1234,
        output_tokens=56,
        cache_read_tokens=0,
        duration_ms=7890,
        user_id="user-1",
        workspace_id="acme",
        cost_usd=Decimal("0.00123"),
        cost_basis="price_list",
        metadata={"provider": "openai-compat", "from": "en"},
    )
    assert cells(admin_client.get(LIST)) == [
        {
            "time": "2026-01-10 12:00:00",
            "outcome": "◷ Timeout\n7.9\u00a0s\n",
            "purpose": "Translation\nuser user-1\nworkspace acme\n",
            "asked": "small-model\nopenai-compat, small\n",
            "cost": "$0.001230",
            "tokens": "1,234 in\n56 out\n",
        }
    ]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("columns", "cost", "tokens"),
    [
        (
            {"cost_usd": Decimal("0"), "cost_basis": "provider", "input_tokens": 0, "output_tokens": 0},
            "$0.000000",
            "0 in\n0 out\n",
        ),
        ({"cost_basis": "unpriced", "output_tokens": 1}, "unknown", "1 out\n"),
        ({"output_tokens": 1}, "unknown", "1 out\n"),
        ({"cost_usd": Decimal("0.00000001"), "output_tokens": 1}, "< $0.000001", "1 out\n"),
        ({"status": "pending"}, "-", "-"),
        ({"status": "pending", "input_tokens": 5}, "-", "5 in\n"),
        (
            {"cost_usd": Decimal("1234.5"), "cache_read_tokens": 2000, "cache_write_tokens": 3},
            "$1,234.500000",
            "2,000 cached\n3 to cache\n",
        ),
    ],
    ids=["free", "unpriced", "first release", "tiny", "pending", "under way", "cached"],
)
def test_list__cost(admin_client, columns, cost, tokens):
    """The cost of a call is shown as on the usage page, with its tokens."""
    written(**columns)
    (listed,) = cells(admin_client.get(LIST))
    assert (listed["cost"], listed["tokens"]) == (cost, tokens)


def test_list__source_of_a_host(admin_client):
    """A host's own source is shown by its name, in the list and on the page."""
    row = written(source="embed")
    assert cells(admin_client.get(LIST))[0]["purpose"] == "embed\n"
    assert "<bdi>embed</bdi>" in admin_client.get(change_page(row)).content.decode()


@pytest.mark.parametrize("metadata", [None, [], "text"])
def test_list__row_of_the_first_release(admin_client, metadata):
    """A row without request, usable metadata and figures is shown too, in the list and on the page."""
    row = written(request_id=None, metadata=metadata)
    (listed,) = cells(admin_client.get(LIST))
    assert (listed["asked"], listed["tokens"], listed["purpose"]) == ("small-model\nsmall\n", "-", "Completion\n")
    assert admin_client.get(change_page(row)).status_code == 200


def test_list__number_as_provider(admin_client):
    """A host's own row whose metadata has a number as provider is shown."""
    row = written(metadata={"provider": 5})
    assert cells(admin_client.get(LIST))[0]["asked"] == "small-model\n5, small\n"
    assert admin_client.get(change_page(row)).status_code == 200


def test_list__hostile_columns(admin_client):
    """What callers wrote into a column is shown as text."""
    written(model=HOSTILE, user_id=HOSTILE, metadata={"provider": HOSTILE}, error_message=HOSTILE)
    content = admin_client.get(LIST).content.decode()
    assert "<script>alert" not in content
    assert content.count("&lt;script&gt;alert") >= 3


# A row's page


def test_page__texts(admin_client):
    """Texts are escaped and unmasked, JSON is indented, and missing values are dashes."""
    row = written(prompt=HOSTILE, response='{"answer":"</pre><script>"}', metadata={"provider": "p", "note": HOSTILE})
    content = admin_client.get(change_page(row)).content.decode()
    assert "<script>alert" not in content
    assert "</pre><script>" not in content
    for text in (
        "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩</pre>",
        "{\n  &quot;answer&quot;: &quot;&lt;/pre&gt;&lt;script&gt;&quot;\n}</pre>",
        "{&quot;answer&quot;:&quot;&lt;/pre&gt;&lt;script&gt;&quot;}</pre>",
        "&quot;note&quot;: &quot;&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩&quot;",
    ):
        assert text in content


def test_page__characters_without_utf8(admin_client):
    """Invalid escapes in a JSON answer do not break the page."""
    row = written(response=r'["\ud800", "\u0000", "\u202e"]')
    assert "⟨U+D800⟩" in admin_client.get(change_page(row)).content.decode()


@pytest.mark.any_database
def test_page__long_text(admin_client):
    """The page shows the beginning of a long text."""
    row = written(prompt="x" * 5_000_000, response="[" + "1," * 2_500_000 + "1]")
    content = admin_client.get(change_page(row)).content.decode()
    assert len(content) < 500_000
    assert "The first 100,000 of 5,000,000 characters are shown; 4,900,000 are cut." in content


def test_page__calls_of_the_request(admin_client):
    """A row links to the other calls of its request, in order, up to a limit."""
    request_id = uuid.uuid4()
    first, present, last = (
        written(request_id=request_id, created_at=NOON + timedelta(seconds=second)) for second in range(3)
    )
    stranger = written()
    content = admin_client.get(change_page(present)).content.decode()
    links = re.findall(rf'href="{LIST}([0-9a-f-]+)/change/"', content)
    assert links == [str(first.pk), str(last.pk)]
    assert f'href="{LIST}?q={request_id}"' in content
    assert str(stranger.pk) not in content
    for second in range(LINKED_CALLS):
        written(request_id=request_id, created_at=NOON - timedelta(seconds=second))
    assert admin_client.get(change_page(present)).content.decode().count("/change/") <= LINKED_CALLS + 1


def test_page__no_such_row(admin_client):
    """An id without a row leads to the admin's index, as everywhere in the admin."""
    response = admin_client.get(f"{LIST}{uuid.uuid4()}/change/")
    assert (response.status_code, response.headers["Location"]) == (302, reverse("admin:index"))


def test_page__secret_fields(rf, account):
    """A secret column of a host's subclass is on no page."""

    class Discreet(PromptLogAdmin):
        secret_fields = ("prompt", "metadata", "user_id")

    row = written(prompt="needle", user_id="needle", metadata={"note": "needle"}, response="an answer")
    request = rf.get("/")
    request.user = account(is_staff=True, is_superuser=True)
    discreet = Discreet(PromptLog, site)
    pages = discreet.changelist_view(request), discreet.change_view(request, str(row.pk))
    for page, masked in zip(pages, (2, 3), strict=True):
        content = page.render().content.decode()
        assert "needle" not in content
        assert content.count(MASK_PLACEHOLDER) == masked
    assert "an answer" in content


def test_list__secret_fields(rf, account):
    """Each secret column of a host's subclass is masked in the list, in every cell."""

    class Discreet(PromptLogAdmin):
        secret_fields = (
            *("status", "source", "provider", "model", "model_size", "cost_usd", "duration_ms"),
            *("user_id", "workspace_id", *TOKEN_FIELDS),
        )

    written(provider="needle", user_id="needle", workspace_id="needle", cost_usd=Decimal("7"), duration_ms=7)
    request = rf.get("/")
    request.user = account(is_staff=True, is_superuser=True)
    (listed,) = cells(Discreet(PromptLog, site).changelist_view(request).render())
    mask = MASK_PLACEHOLDER
    assert {name: text for name, text in listed.items() if name != "time"} == {
        "outcome": f"{mask}\n{mask}\n",
        "purpose": f"{mask}\nuser {mask}\nworkspace {mask}\n",
        "asked": f"{mask}\n{mask}, {mask}\n",
        "cost": mask,
        "tokens": f"{mask}\n" * 4,
    }


def test_secret_fields__nowhere(rf, account):
    """No title, link, filter or search tells what a secret column holds."""
    names = ("source", "provider", "model", "user_id", "workspace_id")

    class Discreet(PromptLogAdmin):
        secret_fields = (*names, "status", "metadata", "request_id", "cost_usd", "cost_basis", "duration_ms")

    row = written(**dict.fromkeys(names, "needle"), status="timeout", cost_basis="unpriced", duration_ms=7)
    written(**dict.fromkeys(names, "needle"), request_id=row.request_id, status="error")
    staff, discreet, request_id = account(is_staff=True, is_superuser=True), Discreet(PromptLog, site), row.request_id

    def page(view, *arguments, **query):
        request = rf.get("/", query)
        request.user = staff
        return view(request, *arguments).render()

    listing = page(discreet.changelist_view)
    texts = [listing, page(discreet.change_view, str(row.pk)), page(discreet.history_view, str(row.pk))]
    told = "".join(text.content.decode() for text in texts)
    assert [word for word in ("needle", str(request_id), "Timeout") if word in told] == []
    assert [spec.title for spec in listing.context_data["cl"].filter_specs] == ["period"]
    searches = [page(discreet.changelist_view, q=str(term)) for term in ("needle", request_id, row.pk)]
    assert [len(search.context_data["cl"].result_list) for search in searches] == [0, 0, 1]
    for lookup in ("status", "user_id", "workspace_id__isnull", "cost", "duration_from"):
        assert not discreet.lookup_allowed(lookup, "1")


# Stored translations

KEPT = reverse("admin:agent_translation_changelist")


@pytest.fixture
def kept():
    """Two stored translations, one of them hostile and without the facts that older rows lack."""
    columns = {"provider": "p", "model": "m", "request_id": uuid.uuid4()}
    owner = {"user_id": "7", "workspace_id": "acme", "from_lang": "en", "to_lang": "de"}
    Translation.objects.create(key="a", text="Sichern", source_text="Save", **columns, **owner)
    Translation.objects.create(key="b", text=HOSTILE, **columns)


def test_kept_translations__list(admin_client, kept):
    """Source text, translation, languages and owner are listed, whatever they contain. Older rows lack some of them."""
    first, second = sorted(cells(admin_client.get(KEPT)), key=lambda row: row["kept_text"], reverse=True)
    assert (first["source"], first["kept_text"], first["languages"]) == ("Save", "Sichern", "en → de")
    assert ("user 7" in first["owner"], "workspace acme" in first["owner"]) == (True, True)
    assert (second["source"], second["languages"], second["owner"]) == ("-", "? → ?", "-")
    assert b"<script>alert" not in admin_client.get(KEPT).content


@pytest.mark.parametrize(
    ("term", "found"), [("Save", 1), ("save", 0), ("DE", 1), ("acme", 1), ("7", 1), ("x", 0), ("", 2)]
)
def test_kept_translations__search(admin_client, kept, term, found):
    """A whole source text, a language, a user or a workspace finds its rows."""
    assert len(cells(admin_client.get(KEPT, {"q": term}))) == found


def test_kept_translations__empty(admin_client):
    """An empty list says where translations come from. After a search, it says that none matches."""
    page = "/admin/agent/translation/"
    assert "appear here. They are reused" in admin_client.get(page).content.decode()
    assert "No stored translation matches." in admin_client.get(page, {"q": "nobody"}).content.decode()


def test_kept_translations__forget(admin_client, kept):
    """Deleting a row forgets its translation. The page of a row shows it and accepts no change."""
    page = admin_client.get(reverse("admin:agent_translation_change", args=["a"])).content.decode()
    assert ("Sichern" in page, 'name="_save"' in page) == (True, False)
    admin_client.post(reverse("admin:agent_translation_delete", args=["a"]), {"post": "yes"})
    assert [row.key for row in Translation.objects.all()] == ["b"]


def test_kept_translations__not_stored_any_more(admin_client, kept, agent):
    """If a host stores no texts of translations, those that are left are masked."""
    agent(LOG_CONTENT={"translate": "none"})
    page = admin_client.get(KEPT).content.decode()
    assert ("Save<" in page, "Sichern" in page, "acme" in page) == (False, False, True)


@pytest.mark.parametrize(("term", "found"), [("Save", 0), ("de", 1), ("7", 1)])
def test_kept_translations__search_of_masked_texts(admin_client, kept, agent, term, found):
    """A text that is masked is not found either."""
    agent(LOG_CONTENT={"translate": "hash"})
    assert len(cells(admin_client.get(KEPT, {"q": term}))) == found


LOOKUPS = ["text__contains", "source_text__startswith", "source_text", "user_id__regex", "to_lang"]


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize("value", ["S", "\0"])
def test_kept_translations__any_condition(admin_client, kept, lookup, value):
    """No condition in the URL reads a column."""
    assert admin_client.get(KEPT, {lookup: value}).status_code == 400


def test_kept_translations__filter_of_a_host(rf, account, kept):
    """A host's subclass may filter by columns that are not masked."""

    class Filtering(TranslationAdmin):
        list_filter = ("to_lang", "user_id")
        secret_fields = ("user_id",)

    request = rf.get("/", {"to_lang": "de"})
    request.user = account(is_staff=True, is_superuser=True)
    filtering = Filtering(Translation, site)
    assert [row.key for row in filtering.changelist_view(request).context_data["cl"].result_list] == ["a"]
    assert not filtering.lookup_allowed("user_id", "7")


def test_kept_translations__secret_fields(rf, account):
    """A secret column of a host's subclass is on no page, and not searched."""
    secrets = ("text", "source_text", "from_lang", "to_lang", "user_id", "workspace_id", "provider", "model")

    class Discreet(TranslationAdmin):
        secret_fields = secrets

    Translation.objects.create(key="a", request_id=uuid.uuid4(), **dict.fromkeys(secrets, "needle"))
    discreet, staff = Discreet(Translation, site), account(is_staff=True, is_superuser=True)
    told, found = "", []
    for view, arguments, query in [
        (discreet.changelist_view, [], {}),
        (discreet.change_view, ["a"], {}),
        (discreet.changelist_view, [], {"q": "needle"}),
    ]:
        request = rf.get("/", query)
        request.user = staff
        page = view(request, *arguments).render()
        told += page.content.decode().replace('value="needle"', "")
        found += [len(page.context_data["cl"].result_list)] if "cl" in page.context_data else []
    assert ("needle" in told, found) == (False, [1, 0])


@pytest.mark.parametrize(("codenames", "status"), [([], 403), (["view_promptlog"], 403), (["view_translation"], 200)])
def test_kept_translations__who_may_look(client, account, kept, codenames, status):
    """The list has its own permission."""
    client.force_login(account(is_staff=True, codenames=codenames))
    assert client.get(KEPT).status_code == status


@pytest.mark.any_database
@visitors(user=({}, {}, 403), no_staff=({"codenames": ["view_promptlog"]}, {}, 403))
def test_usage_endpoint__permission(client, account, settings, fields, host, status):
    """GET usage requires the same permission as the ledger in the admin."""
    for name, value in host.items():
        setattr(settings, name, value)
    client.force_login(account(**fields), settings.AUTHENTICATION_BACKENDS[-1])
    for url in ("/agent/api/v1/llm/usage", "/agent/api/llm/usage"):
        assert client.get(url).status_code == status


@pytest.mark.any_database
@pytest.mark.parametrize(("codenames", "status"), [([], 403), (["view_promptlog"], 200), (["change_promptlog"], 200)])
def test_usage_endpoint__without_the_admin(client, account, monkeypatch, codenames, status):
    """If no admin shows the ledger, its model permission counts."""
    monkeypatch.delitem(site._registry, PromptLog)
    client.force_login(account(is_staff=True, codenames=codenames))
    assert client.get("/agent/api/v1/llm/usage").status_code == status
