"""What an event changes in the record of its user."""

import numpy as np

from pozytywka_cli.families.skip.features.rates import NEVER
from pozytywka_cli.families.skip.state.catalogue import Catalogue
from pozytywka_cli.families.skip.state.layout import OTHERS, PLAY, SESSION, SESSIONS, Records, no_play
from pozytywka_cli.families.skip.state.settling import Play, add, settle


def start(user: Records, session: int, track: int, at: int, advertised: bool, catalogue: Catalogue) -> bool:
    """Add a play that starts; False if it is older than the user's latest one, or a copy. `user` is a record: (1,)."""
    if at < user["latest_start"][0]:
        return False
    plays, sessions = user["plays"][0], user["sessions"][0]
    place = _place(plays, session)
    if place is None:
        place = SESSIONS - 1  # the session that went on least recently makes room
        _supersede(user, place, at=None, catalogue=catalogue)
        kept = np.zeros((), SESSION)
        kept["first"] = at
    elif plays["started_at"][OTHERS + place] == at and plays["track"][OTHERS + place] == track:
        return False
    else:
        kept = sessions[place].copy()
        if plays["started_at"][OTHERS + place] < at:
            kept["earlier"], kept["earlier_advertisements"] = kept["plays"], kept["advertisements"]
        _supersede(user, place, at=at, catalogue=catalogue)
    kept["plays"] += 1
    kept["advertisements"] += advertised
    _to_front(sessions, place, kept)
    _to_front(plays[OTHERS:], place, _started(user, session, track, at, advertised, catalogue))
    settle(user, at - 1, catalogue)
    user["latest_start"] = at
    _fill_others(user, [play for play in plays[:OTHERS] if play["known_at"] >= at])
    return True


def react(user: Records, session: int, track: int | None, at: int, liked: bool) -> bool:
    """Add a LIKE, or else a SKIP, to the latest play of the session; False if it is older, or names another track."""
    plays = user["plays"][0]
    place = _place(plays, session)
    if place is None:
        return False
    play = plays[OTHERS + place]
    if at <= play["started_at"] or at < user["latest_start"][0] or track not in (None, play["track"]):
        return False
    if not liked:
        if not play["skipped"] and at < play["known_at"]:
            play["skipped"], play["known_at"] = True, at
    elif at < play["liked_at"]:
        play["liked_at"] = at
        if user["previous_session"][0] == session and play["known_at"] < user["latest_start"][0]:
            user["previous_liked_at"] = at
    return True


def has_played(user: Records, session: int, at: int) -> bool:
    """Return whether a play of the session started at this moment or later."""
    plays = user["plays"][0]
    place = _place(plays, session)
    return place is not None and bool(plays["started_at"][OTHERS + place] >= at)


def _place(plays: Records, session: int) -> int | None:
    (places,) = np.nonzero(plays["session"][OTHERS:] == session)
    return int(places[0]) if len(places) else None


def _started(user: Records, session: int, track: int, at: int, advertised: bool, catalogue: Catalogue) -> Records:
    """Return the record of a play that starts: ()."""
    duration = int(catalogue.durations[max(track, -1)])
    known_at = NEVER if duration == NEVER else max(at + duration, at + 1)
    premium = user["purchased_at"][0] <= at
    return np.array((session, at, known_at, NEVER, track, False, premium, advertised), PLAY)


def _supersede(user: Records, place: int, at: int | None, catalogue: Catalogue) -> None:
    """Take the latest play of a session from its place: the next one starts at `at`; None where its session goes."""
    play = user["plays"][0, OTHERS + place].copy()
    if play["known_at"] < user["latest_start"][0]:
        user["likes"] += play["liked_at"] < NEVER
        return
    if at is not None:
        play["known_at"] = max(min(play["known_at"], at), play["started_at"] + 1)
    if play["known_at"] == NEVER:
        return
    others = [one for one in (*user["plays"][0, :OTHERS], play) if one["known_at"] < NEVER]
    others.sort(key=lambda one: (one["started_at"], one["session"]))  # stable: plays of one session stay in order
    if len(others) > OTHERS:  # then the one that started first is settled as it stands
        add(user, [(Play._make(others[0].item()), True)], catalogue)
    _fill_others(user, others[-OTHERS:])


def _fill_others(user: Records, others: list[np.void]) -> None:
    filled = [*others, *[no_play()] * (OTHERS - len(others))]
    user["plays"][0, :OTHERS] = np.array(filled, PLAY)


def _to_front(records: Records, place: int, first: Records) -> None:
    records[1 : place + 1] = records[:place].copy()
    records[0] = first
