"""Which artist each track belongs to; plays of tracks without one are left out where artists are counted."""

import polars as pl

from pozytywka_cli.errors import RefusedError

NO_ARTIST = ("", "-1")  # texts that stand for a missing id


def artists_of_tracks(tracks: pl.DataFrame) -> pl.DataFrame:
    """Return track_id and artist_id of all tracks that name an artist, whether or not the artists table has it."""
    named = tracks.filter(pl.col("id_artist").is_not_null() & ~pl.col("id_artist").is_in(NO_ARTIST))
    return named.select(track_id="id", artist_id="id_artist")


def require_artists(attributed: int, plays: int) -> None:
    """Raise a RefusedError if none of so many plays is of a track with an artist."""
    if plays and not attributed:
        problem = f"none of the {plays:,} plays is of a track with an artist"
        raise RefusedError(problem, "Check the column id_artist of tracks; see `pozytywka validate`.")


def left_out(plays: pl.DataFrame, tracks: pl.DataFrame) -> list[str]:
    """Return a sentence that counts the plays of tracks without an artist or unknown to `tracks`, if there are any."""
    count = len(plays.join(artists_of_tracks(tracks), on="track_id", how="anti"))
    share = f"{count:,} of {len(plays):,} plays are of a track without an artist, or of one that is not in tracks"
    return [f"{share}; weekly and similar leave them out."] if count else []
