"""Questions about what pictures show and what they do not."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from editkit.demo import language, world
from editkit.probe.pope.generated import Company, polls
from editkit.probe.pope.poll import SORTS, worded

KINDS = ("bell", "chair", "cup", "fork", "knife", "table")
# table and chair 3 times together, knife and fork twice, cup alone in four.
PICTURES = [
    *[frozenset({"table", "chair"})] * 3,
    *[frozenset({"knife", "fork"})] * 2,
    frozenset({"knife", "cup"}),
    *[frozenset({"cup"})] * 4,
]
COMPANY = Company.of(KINDS, PICTURES)
KINDS_SHOWN = st.frozensets(st.sampled_from(KINDS))


def test_company_is_counted() -> None:
    assert COMPANY.frequency == {"table": 3, "chair": 3, "knife": 3, "fork": 2, "cup": 5}
    assert COMPANY.beside["knife"] == {"fork": 2, "cup": 1}
    assert COMPANY.popular(KINDS) == ["cup", "chair", "knife", "table", "fork", "bell"]
    assert COMPANY.companions("knife", KINDS) == ["fork", "cup", "chair", "knife", "table", "bell"]


def test_absent_objects_are_popular_or_keep_company() -> None:
    found = polls({"a.png": frozenset({"table"}), "b.png": frozenset({"knife"})}, COMPANY, SORTS)
    asked = {(poll.sort, poll.image): poll.text for poll in found if not poll.yes}
    assert asked["popular", "a.png"] == asked["popular", "b.png"] == worded("cup")
    assert asked["adversarial", "a.png"] == worded("chair")
    assert asked["adversarial", "b.png"] == worded("fork")
    assert [poll.text for poll in found if poll.yes] == [worded("table")] * 3 + [worded("knife")] * 3


def test_no_absent_object_is_asked_about_twice() -> None:
    company = Company.of("abcd", [frozenset("abc"), frozenset("ab"), frozenset("bc")])
    found = polls({"x": frozenset("ac")}, company, ["adversarial"])
    assert sorted(poll.text for poll in found if not poll.yes) == [worded("b"), worded("d")]


@given(
    st.dictionaries(st.text("abc", min_size=1), KINDS_SHOWN, max_size=5),
    st.integers(1, 4),
    st.integers(0, 5),
)
def test_half_of_the_questions_are_true_of_each_picture(
    pictures: dict[str, frozenset[str]], each: int, seed: int
) -> None:
    found = polls(pictures, COMPANY, SORTS, each=each, seed=seed)
    for poll in found:
        kind = next(kind for kind in KINDS if worded(kind) == poll.text)
        assert poll.yes == (kind in pictures[poll.image])
    assert len(set(found)) == len(found)
    for name, shown in pictures.items():
        count = min(each, len(shown), len(KINDS) - len(shown))
        counted = Counter((poll.sort, poll.yes) for poll in found if poll.image == name)
        assert counted == ({(sort, yes): count for sort in SORTS for yes in (True, False)} if count else {})


def test_equal_seeds_give_a_picture_the_same_questions() -> None:
    one = {"a": frozenset({"cup", "fork", "knife"})}
    alone = polls(one, COMPANY, SORTS, each=2)
    assert polls({"b": frozenset({"bell"}), **one}, COMPANY, SORTS, each=2)[-len(alone) :] == alone
    assert any(polls(one, COMPANY, SORTS, each=2, seed=seed) != alone for seed in range(1, 5))


def test_questions_are_worded_as_the_demo_world_words_them() -> None:
    assert [worded(kind) for kind in world.KINDS] == [language.question(kind) for kind in world.KINDS]
    assert worded("orange") == "Is there an orange in the image?"
