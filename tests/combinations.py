"""The combinations that the package supports: `make matrix` runs them, and so does each job of CI."""

from dataclasses import dataclass

DATABASES = ("sqlite", "postgresql", "mariadb")
SQLITE = DATABASES[:1]
# Each extra, and the mark of the tests that need it.
EXTRAS = {"anthropic": "sdk", "otel": "otel", "fluent": "fluent", "language": "language"}
WITH_GROUP = ("otel", "fluent")  # extras whose tests need more, which is in the dependency group of the same name


@dataclass(frozen=True)
class Combination:
    """A Python, a series of Django ("6" is the newest 6.x), and what is installed with them.

    `resolution` is "newest", or "oldest" for the lowest versions that pyproject.toml allows. `groups` are its slow
    dependency groups.
    """

    python: str
    django: str
    databases: tuple[str, ...] = DATABASES
    extras: tuple[str, ...] = tuple(EXTRAS)
    resolution: str = "newest"
    groups: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Never a part of another name."""
        extras = "full" if self.extras == tuple(EXTRAS) else "+".join(self.extras) or "bare"
        return f"python{self.python}-django{self.django}-{extras}-{self.resolution}"

    @property
    def all_groups(self) -> tuple[str, ...]:
        """With the groups that test the package and its extras."""
        return ("test", *(extra for extra in self.extras if extra in WITH_GROUP), *self.groups)

    @property
    def required(self) -> tuple[str, ...]:
        """The marks of tests that must run, because what they need is installed."""
        return (*(EXTRAS[extra] for extra in self.extras), *self.groups)


COMBINATIONS = (
    Combination("3.11", "5.2"),
    Combination("3.12", "5.2"),
    Combination("3.13", "5.2"),
    Combination("3.12", "6"),
    # These run once: the packages that call this one, and the small local model.
    Combination("3.13", "6", groups=("fleet", "model")),
    Combination("3.12", "6.0", SQLITE),
    *(Combination("3.13", "6", SQLITE, extras=(extra,)) for extra in EXTRAS),
    Combination("3.13", "6", SQLITE, extras=()),
    Combination("3.11", "5.2", resolution="oldest"),
)
