"""Change bytes, words, lines and structure of a file at random."""

import re
from collections.abc import Callable
from random import Random

TOKENS = (
    *(b"NaN", b"Infinity", b"1e999", b"-1", b"-0.0", b"1.0", b"null", b"true", b'""', b"{}", b"[]", b"\0", b"\xff"),
    *(b"9223372036854775808", b"18446744073709551616", b"1" + b"0" * 400, b"1" * 5000, b"{" * 100_000, b"[" * 100_000),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b'"\\ud800"', b"\\u0000", b"\r", b"\r\n", b"\n\n", b"\t", b";"),
    *(b'"', b",", b"0000-01-01T00:00:00", b"9999-12-31T23:59:59.999999999", b"=cmd", b"../../x", b"a" * 100_000),
)
Mutation = Callable[[bytes, Random], bytes]


def mutate(content: bytes, random: Random) -> bytes:
    """Return the content with one or a few random changes."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 10))):
        content = random.choice(MUTATIONS)(content, random)
    return content


def _span(content: bytes, random: Random) -> tuple[int, int]:
    """Return the start and end of a part, most often a short one."""
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.choice((1, 2, 8, 64, 1024)))


def flip_bit(content: bytes, random: Random) -> bytes:
    """Flip one bit."""
    if not content:
        return content
    at = random.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << random.randrange(8)]) + content[at + 1 :]


def delete(content: bytes, random: Random) -> bytes:
    """Delete a part."""
    start, end = _span(content, random)
    return content[:start] + content[end:]


def repeat(content: bytes, random: Random) -> bytes:
    """Repeat a part."""
    start, end = _span(content, random)
    return content[:end] + content[start:]


def insert_noise(content: bytes, random: Random) -> bytes:
    """Insert random bytes."""
    at, _ = _span(content, random)
    return content[:at] + random.randbytes(random.randrange(1, 17)) + content[at:]


def insert_token(content: bytes, random: Random) -> bytes:
    """Insert something that readers stumble over."""
    at, _ = _span(content, random)
    return content[:at] + random.choice(TOKENS) + content[at:]


def replace_word(content: bytes, random: Random) -> bytes:
    """Replace a word, a number or a quoted text by such a thing, or by another word of the content."""
    words = list(re.finditer(rb'"[^"\n]{0,80}"|[\w.+-]+', content[:50_000]))
    if not words:
        return content
    word = random.choice(words)
    other = random.choice((random.choice(TOKENS), random.choice(words)[0]))
    return content[: word.start()] + other + content[word.end() :]


def truncate(content: bytes, random: Random) -> bytes:
    """Keep the beginning."""
    return content[: random.randrange(len(content) + 1)]


def change_lines(content: bytes, random: Random) -> bytes:
    """Delete, repeat, join, move or empty lines, or end them otherwise."""
    lines = content.split(b"\n")
    at, to = random.randrange(len(lines)), random.randrange(len(lines))
    changed = random.choice(
        (
            lines[:at] + lines[at + 1 :],
            [*lines[:at], lines[to], *lines[at:]],
            [*lines[:at], b"", *lines[at:]],
            [lines[to], *lines[:to], *lines[to + 1 :]],
            [*lines[:at], b"".join(lines[at : at + 2]), *lines[at + 2 :]],
        )
    )
    return random.choice((b"\n", b"\n", b"\n", b"\r\n", b"\r")).join(changed)


MUTATIONS: tuple[Mutation, ...] = (
    *(flip_bit, delete, repeat, insert_noise, truncate),
    *(insert_token, insert_token, replace_word, replace_word, change_lines),
)
