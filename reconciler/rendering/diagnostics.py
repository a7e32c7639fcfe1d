"""Diagnostics as plain text: what is wrong, where, the line with a caret, and what to do.

    error[unknown_key]: spec.target has no key "rootnode"
      --> specs/orders.yaml:9:12
       |
     9 |   target: {rootnode: 1234}
       |            ^
       = help: did you mean "rootNode"?

No colour and no control character: whatever a file or a name holds, the text is safe on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.diagnostics import Diagnostic, Severity, in_order
from reconciler.rendering.layout import columns
from reconciler.rendering.paint import clean
from reconciler.rendering.phrases import plain
from reconciler.rendering.tallies import by_code

_GUTTER = 5


def render_diagnostics(diagnostics: Iterable[Diagnostic], *, most: int | None = None) -> str:
    """Render problems in order of their place, a blank line between them, and a count at the end.

    Args:
        diagnostics: The problems.
        most: Show so many; of the others, tell how many there are of each code.

    Returns:
        Lines that each end in a line end; an empty text when there are no problems.
    """
    ordered = in_order(diagnostics)
    if not ordered:
        return ""
    blocks = ["\n".join(_block(item)) for item in ordered[:most]]
    if rest := ordered[len(blocks) :]:
        blocks.append(f"{len(rest)} more: {plain(by_code(rest))}")
    return "\n\n".join([*blocks, _count(ordered)]) + "\n"


def _block(item: Diagnostic) -> list[str]:
    lines = [f"{item.severity.value}[{clean(item.code)}]: {clean(item.summary)}"]
    if item.place is not None:
        lines.append(f"  --> {clean(str(item.place))}")
        if item.excerpt is not None:
            lines.extend(_excerpt(item.excerpt, item.place.line, item.place.column))
    elif item.address is not None:
        lines.append(f"  --> {clean(item.address)}")
    blank = " " * _GUTTER
    if item.detail:
        lines.append(f"{blank}= note: {clean(item.detail)}")
    lines.append(f"{blank}= help: {clean(item.hint)}")
    return lines


def _excerpt(excerpt: str, line: int, column: int) -> list[str]:
    text = clean(excerpt)
    bar = f"{'':{_GUTTER}}|"
    lines = [bar, f"{line:>{_GUTTER - 1}} | {text}".rstrip()]
    if column <= len(excerpt) + 1:
        # The caret must stand under the character on the screen, where some take two columns.
        before = columns(clean(excerpt[: column - 1]))
        lines.append(f"{bar} {' ' * before}^")
    return lines


def _count(diagnostics: tuple[Diagnostic, ...]) -> str:
    errors = sum(item.severity is Severity.ERROR for item in diagnostics)
    warnings = len(diagnostics) - errors
    parts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return ", ".join(parts)
