"""The charts of recommend."""

from pozytywka_cli.families.recommend import charts
from pozytywka_cli.families.recommend.metrics import LENGTHS
from pozytywka_cli.records import Row


def test_success_grows_with_the_length_of_the_list():
    """A panel for each protocol; a line for each variant, in the order of the rows; other metrics are not drawn."""
    rows = [
        Row("recommend", variant, protocol, f"success@{length}", length / 100 + place)
        for protocol in ("new tracks", "all tracks", "another")
        for place, variant in enumerate(("als", "popular"))
        for length in LENGTHS
    ]
    rows += [Row("recommend", "als", "new tracks", "ndcg@20", 7.0), Row("recommend", "blend", "next track", "mrr", 7.0)]
    found = charts.panels(rows, ["new tracks", "all tracks"])
    assert [panel.title.partition(", ")[2] for panel in found] == ["new tracks", "all tracks"]
    for panel in found:
        assert panel.rows.rows() == [
            (length, length / 100 + place, variant)
            for place, variant in enumerate(("als", "popular"))
            for length in LENGTHS
        ]
        assert {panel.x, panel.y, panel.series} == set(panel.rows.columns)


def test_without_lists_nothing_is_drawn():
    """But empty panels."""
    assert [len(panel.rows) for panel in charts.panels([], ["new tracks"])] == [0]
