"""Typical audio features of each genre, roughly those of Spotify."""

from typing import NamedTuple


class Sound(NamedTuple):
    """Means over the tracks of one genre; the first six lie in 0..1."""

    danceability: float
    energy: float
    acousticness: float
    instrumentalness: float
    valence: float
    speechiness: float
    loudness: float  # dB
    tempo: float  # beats per minute
    minutes: float
    explicit: float  # share of tracks
    since: int  # year of the first records


SOUNDS: dict[str, Sound] = {
    "post-metal": Sound(0.25, 0.75, 0.05, 0.65, 0.15, 0.05, -8.0, 118, 6.3, 0.02, 1996),
    "post-rock": Sound(0.28, 0.60, 0.15, 0.80, 0.18, 0.04, -10.0, 116, 6.0, 0.00, 1996),
    "doom metal": Sound(0.25, 0.65, 0.03, 0.35, 0.20, 0.05, -8.0, 105, 6.2, 0.03, 1984),
    "black metal": Sound(0.22, 0.88, 0.02, 0.40, 0.18, 0.07, -7.0, 128, 5.6, 0.04, 1987),
    "progressive metal": Sound(0.34, 0.85, 0.03, 0.25, 0.30, 0.06, -6.5, 124, 6.0, 0.04, 1988),
    "thrash metal": Sound(0.35, 0.92, 0.01, 0.20, 0.35, 0.08, -6.0, 138, 4.6, 0.12, 1983),
    "progressive rock": Sound(0.38, 0.55, 0.30, 0.30, 0.40, 0.05, -10.5, 122, 6.0, 0.01, 1969),
    "classic rock": Sound(0.50, 0.65, 0.28, 0.08, 0.62, 0.05, -9.5, 122, 4.3, 0.01, 1965),
    "folk": Sound(0.48, 0.28, 0.80, 0.06, 0.42, 0.04, -13.5, 115, 3.9, 0.01, 1965),
    "indie rock": Sound(0.50, 0.70, 0.15, 0.12, 0.50, 0.05, -7.0, 124, 3.8, 0.06, 1992),
    "shoegaze": Sound(0.33, 0.75, 0.05, 0.50, 0.32, 0.05, -8.0, 122, 4.5, 0.01, 1988),
    "dream pop": Sound(0.48, 0.48, 0.35, 0.45, 0.34, 0.04, -10.0, 114, 4.4, 0.02, 1984),
    "punk": Sound(0.42, 0.93, 0.03, 0.05, 0.62, 0.09, -6.0, 160, 2.7, 0.18, 1976),
    "post-punk": Sound(0.55, 0.74, 0.10, 0.18, 0.55, 0.05, -9.0, 134, 4.0, 0.02, 1978),
    "synth-pop": Sound(0.66, 0.70, 0.15, 0.12, 0.60, 0.04, -9.0, 122, 4.2, 0.01, 1980),
    "techno": Sound(0.78, 0.75, 0.05, 0.85, 0.38, 0.07, -10.0, 130, 6.1, 0.01, 1988),
    "ambient": Sound(0.25, 0.18, 0.85, 0.88, 0.10, 0.05, -20.0, 98, 6.0, 0.00, 1978),
    "trip hop": Sound(0.60, 0.50, 0.25, 0.35, 0.35, 0.08, -10.0, 104, 4.7, 0.06, 1991),
    "hip hop": Sound(0.75, 0.68, 0.15, 0.02, 0.60, 0.27, -7.5, 97, 4.1, 0.60, 1986),
    "soul": Sound(0.60, 0.48, 0.50, 0.03, 0.65, 0.05, -11.0, 112, 3.5, 0.01, 1965),
    "funk": Sound(0.78, 0.68, 0.20, 0.08, 0.80, 0.08, -9.5, 110, 4.6, 0.03, 1968),
    "jazz": Sound(0.48, 0.30, 0.82, 0.55, 0.45, 0.05, -15.0, 112, 6.0, 0.00, 1965),
}
GENRES: tuple[str, ...] = tuple(SOUNDS)
