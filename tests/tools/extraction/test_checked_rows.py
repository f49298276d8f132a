from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.extraction.readers.checked_rows import checked_rows
from tools.extraction.readers.rows import priced_rows
from tools.extraction.readers.source import Source
from tools.extraction.readers.totals import added_up


def values(text: str) -> list[dict[str, object]]:
    return [{role: cell.value for role, cell in row.items()} for row in checked_rows(Source(text))]


def test_stacked_rows_count_where_their_sum_is_told() -> None:
    text = "SHOP\n2 Tea\n5.00\n1\nCake\n3.50\nScone\nx3\n4.50\nTOTAL\n13.00\n"
    assert values(text) == [
        {"description": "Tea", "quantity": 2.0, "amount": 5.0},
        {"description": "Cake", "quantity": 1.0, "amount": 3.5},
        {"description": "Scone", "quantity": 3.0, "amount": 4.5},
    ]
    assert values(text.replace("13.00", "13.10")) == []


@given(st.text(alphabet="aZ 1.,\nx@", max_size=120))
def test_any_text_can_be_read(text: str) -> None:
    for row in checked_rows(Source(text)):
        assert all(text[cell.start : cell.end].strip() for cell in row.values())


def test_quantities_behind_the_description_and_bullets() -> None:
    rows = priced_rows(Source("* 3 x Tea - 6.00\n- Cake (x2): 5.00\nBox 4 pcs   8.00\n"))
    assert [(row["description"].value, row["quantity"].value, row["amount"].value) for row in rows] == [
        ("Tea", 3.0, 6.0), ("Cake", 2.0, 5.0), ("Box", 4.0, 8.0),
    ]  # fmt: skip


def test_the_sum_of_the_rows_is_no_row_and_may_be_the_total() -> None:
    text = "Tea  6.00\nCake  5.00\nScone 1.25\nPrice of all 12.25\n"
    assert [row["description"].value for row in priced_rows(Source(text))] == ["Tea", "Cake", "Scone"]
    assert {one.value for one in added_up(Source(text))} == {12.25}
    assert not added_up(Source(text + "of this net 11.00\n"))
