from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.dates import DateSet
from reconciler.planning.ownership import claims
from tests.builders import a_resource, a_series, a_subject, date_sets


def test_the_first_address_by_name_owns_what_several_declare() -> None:
    late = a_resource("b", "2024-05-01..2024-05-05")
    early = a_resource("a", "2024-05-04..2024-05-09")
    first, second = claims([late, early])
    assert (first.resource, first.owned, first.shared) == (early, early.generations, ())
    assert second.owned.dates.texts() == ("2024-05-01..2024-05-03",)
    assert [(str(owner), str(dates)) for owner, dates in second.shared] == [
        ("backfill.a", "2024-05-04..2024-05-05")
    ]


def test_other_subjects_share_nothing() -> None:
    one = a_resource("a")
    other = a_resource("b", series=a_series(subject=a_subject(variant="eu")))
    assert [claim.shared for claim in claims([one, other])] == [(), ()]


@given(st.lists(date_sets(8).filter(bool), min_size=1, max_size=4))
def test_each_unit_has_exactly_one_owner(wanted: list[DateSet]) -> None:
    resources = [
        a_resource(name, ",".join(dates.texts()))
        for name, dates in zip("abcd", wanted, strict=False)
    ]
    for order in itertools.islice(itertools.permutations(resources), 6):
        made = claims(order)
        assert made == claims(resources)
        owned = [date for claim in made for date in claim.owned.dates.days()]
        assert len(owned) == len(set(owned))
        assert set(owned) == {date for dates in wanted for date in dates.days()}
        for claim in made:
            shared = DateSet.of(item for _, dates in claim.shared for item in dates)
            assert shared.count == sum(dates.count for _, dates in claim.shared)
            assert not shared & claim.owned.dates
            assert shared | claim.owned.dates == claim.resource.dates
