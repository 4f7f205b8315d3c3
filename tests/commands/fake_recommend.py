"""A family `recommend` whose answers are known: every user of the data gets the same tracks."""

from typing import Any, ClassVar

import msgspec
import polars as pl

from pozytywka_cli.families.family import Variant

TRACKS = [
    ("t1", "[b]Hold On[/b]", "Mogwai", {"kind": "play", "id": "t9", "name": "Owner\tof a Lonely Heart"}),
    ("t2", "\x1b[31mred", "-lead", {"kind": "artist", "id": "a1", "name": "[spunge]"}),
    ("t3", "椎名\u3000林檎", "Łona", {"kind": "genre", "id": None, "name": "doom metal"}),
    ("t4", "line\nbreak", "MØ", {"kind": "popularity", "id": None, "name": None}),
    ("t5", "Кино" * 100, "Björk", {"kind": "completion", "id": None, "name": None}),
]
REASON = pl.Struct({"kind": pl.String, "id": pl.String, "name": pl.String})
ANSWERS = {
    "user_id": pl.Int64,
    "rank": pl.Int64,
    "track_id": pl.String,
    "track": pl.String,
    "artist": pl.String,
    "score": pl.Float64,
    "because": REASON,
    "variant": pl.String,
    "problem": pl.String,
}


class Request(msgspec.Struct):
    """As the predictor of the family has it."""

    user_id: int
    count: int = 20
    allow_heard: bool = False
    diversity: float = 0.2
    tail: int | None = None
    like_track: str | None = None
    like_artist: str | None = None
    genres: str | None = None


class FakePredictor:
    """Answers with TRACKS; `seen` are the requests of all predictors."""

    Request = Request
    seen: ClassVar[list[pl.DataFrame]] = []

    def __init__(self, variant: str, known: list[int]) -> None:
        self.variant, self.known = variant, known

    def predict(self, requests: pl.DataFrame) -> pl.DataFrame:
        self.seen.append(requests)
        rows = [row for one in requests.iter_rows(named=True) for row in self._answers(one)]
        return pl.DataFrame(rows, ANSWERS, orient="row")

    def default_requests(self) -> pl.DataFrame:
        return pl.DataFrame({"user_id": self.known}, schema={"user_id": pl.Int64})

    def _answers(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        user, problem = request["user_id"], None
        if request.get("like_artist") == "nobody":
            problem = 'no artist is called "nobody"'
        elif user not in self.known and not request.get("genres"):
            problem = f"user {user} is unknown: no plays and not in users"
        if problem:
            return [{"user_id": user, "variant": self.variant, "problem": problem}]
        keys = ("track_id", "track", "artist", "because")
        chosen = enumerate(TRACKS[: request.get("count", 20)], start=1)
        return [
            {"user_id": user, "rank": rank, "score": 1 / rank, "variant": self.variant}
            | dict(zip(keys, track, strict=True))
            for rank, track in chosen
        ]


class Recommend:
    """The family."""

    name = "recommend"
    question = "What should this user hear next?"
    default, baseline, rivals = "blend", "popularity", ()
    variants: ClassVar = {"blend": Variant("a mixture"), "popularity": Variant("the most played tracks", baseline=True)}
    Settings = type("Settings", (msgspec.Struct,), {})

    def open(self, version, dataset):
        return FakePredictor(version.manifest.variant, dataset.users["user_id"].to_list())


FAMILY = Recommend()
