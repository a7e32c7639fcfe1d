"""The one way text gets into Markdown: our words as they are, other people's as code that nothing escapes.

Whoever can name a node or a branch can put text before a reviewer. Within code no renderer looks for
mentions, links, references, images, HTML or emoji; so everything from outside becomes a code span or stands
in a fence, on one line that begins with a word of ours. What could end the code early, forge our marker or
not be seen at all is escaped as `clean` does it.

Source: CommonMark 0.31 on code spans and fences; the GFM specification on tables; cmark-gfm's inlines.c,
which takes a run of more than 80 backticks for text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from reconciler.model.canonical import short_digest
from reconciler.rendering.paint import clean
from reconciler.rendering.phrases import Phrase, Theirs

#: The largest comment that GitHub takes; GitLab and Codeup take more.
LIMIT = 65_535

#: So much of one text from outside is shown, and where there is little room, such as in a table.
MOST = 300
LITTLE = 100

#: Longer names of projects stand in the marker as a digest.
_MOST_IN_MARKER = 128

_COMMENT = re.compile("<!(?=--)")
_BACKTICKS = re.compile("`+")
_MANY_BACKTICKS = re.compile("`{9,}")
_BAR = r"\|"
_BAR_BEHIND_BACKSLASH = re.compile(r"(?<=\\)\|")
_ACTIVE = re.compile(r"[\\`*_\[\]<>|~&#]")


def size(text: str) -> int:
    """How long a text is by the strictest way of counting: in UTF-16 units.

    It is never less than the number of characters, nor than a third of the bytes in UTF-8.
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def markdown(phrase: Phrase, *, in_cell: bool = False) -> str:
    """A phrase as inline Markdown, on one line.

    Args:
        phrase: Our words and other people's.
        in_cell: Whether it stands in a table, where a bar ends the cell even within code.
    """
    shape = code_in_cell if in_cell else code
    pieces: list[str] = []
    behind_code = False
    for piece in phrase:
        is_code = isinstance(piece, Theirs)
        # Two spans must not touch: their backticks would be one run.
        pieces.append(" " if behind_code and is_code else "")
        pieces.append(shape(piece.text) if isinstance(piece, Theirs) else words(piece))
        behind_code = is_code or (behind_code and not piece)
    return "".join(pieces)


def words(text: str) -> str:
    """Words of ours, which shall not be taken for markup."""
    return _ACTIVE.sub(r"\\\g<0>", text)


def code(text: str, *, most: int = MOST) -> str:
    """Any text, cut after `most` characters, as a code span; in words of ours what a span cannot say.

    No line may begin with one: simpler renderers than CommonMark's take three backticks there for a fence.
    """
    shown, note = harmless(text, most=most)
    return f"{_span(shown)}{note}"


def code_in_cell(text: str) -> str:
    r"""The same in a cell of a table.

    Renderers disagree on what a bar behind a backslash is, so that one is written as `\u{7c}`.
    """
    shown, note = harmless(text, most=LITTLE)
    span = _span(_BAR_BEHIND_BACKSLASH.sub(r"\\u{7c}", shown))
    return f"{span.replace('|', _BAR)}{note}"


def harmless(text: str, *, most: int = MOST) -> tuple[str, str]:
    """A text without anything that ends a code span or begins a comment.

    Returns:
        At most `most` characters of it, and in words of ours, empty for a whole text, that it goes on.
    """
    shown = _COMMENT.sub(r"<\\u{21}", clean(text[:most]))
    shown = _MANY_BACKTICKS.sub(lambda run: r"\u{60}" * len(run[0]), shown)
    whole = len(text) <= most and len(shown) <= most
    return shown[:most], "" if whole else f" (cut, it has {len(text)} characters)"


def fenced(lines: Iterable[str], language: str) -> str:
    """Lines in a fence, which are harmless each and begin with a word or sign of ours."""
    body = "\n".join(lines)
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def marker(project: str) -> str:
    """The comment that stands before all else, by which a bot finds what it posted for a project.

    Nothing but letters, digits and `_`, `.`, `-`, `~`, `%`, `=` stands in the name, and no two dashes in a
    row, so that it cannot end the comment; different names have different markers.
    """
    name = quote(project, safe="", errors="surrogatepass").replace("--", "-%2D")
    if not name or len(name) > _MOST_IN_MARKER:
        name = f"={short_digest(name)}"
    return f"<!-- reconciler plan {name} -->"


def _span(shown: str) -> str:
    """A code span of exactly this text: renderers take off one blank where both ends have one."""
    if not shown.strip():
        return "(blank)" if shown else "(empty)"
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if {shown[0], shown[-1]} & {" ", "`"} else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)
