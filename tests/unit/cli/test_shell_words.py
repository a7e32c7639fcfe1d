from __future__ import annotations

import pytest

from reconciler.cli.shell_words import cut

BREAKS = " \t\n\"'@><=;|&(:"


@pytest.mark.parametrize(
    ("line", "words", "current"),
    [
        ("", (), ""),
        ("reconciler ", ("reconciler",), ""),
        ("reconciler pl", ("reconciler",), "pl"),
        ("  reconciler   -C  'my specs' ", ("reconciler", "-C", "my specs"), ""),
        ("reconciler 'open quote", ("reconciler",), "open quote"),
        ('reconciler "a\\"b', ("reconciler",), 'a"b'),
        ("reconciler a\\ b", ("reconciler",), "a b"),
        ("reconciler a\\", ("reconciler",), "a"),
        ("reconciler '' x", ("reconciler", ""), "x"),
        ("reconciler $(touch x) `id` ", ("reconciler", "$(touch", "x)", "`id`"), ""),
    ],
)
def test_a_line_is_cut_as_a_shell_cuts_it_and_expands_nothing(
    line: str, words: tuple[str, ...], current: str
) -> None:
    typed = cut(line)
    assert (typed.words, typed.current) == (words, current)


@pytest.mark.parametrize(
    ("current", "replaced"),
    [
        ("backfill.or", "backfill.or"),
        ("backfill.orders@20", "@20"),
        ("backfill.orders@", "@"),
        ("--target=back", "back"),
        ("'backfill.orders@20", "backfill.orders@20"),
        ("'backfill.orders@'", "backfill.orders@"),
        ("'backfill.orders'@20", "@20"),
        ("--target='backfill.orders@20", "backfill.orders@20"),
        ("--target='back'", "back"),
        ("back'fill.or", "fill.or"),
        ("backfill.orders\\@20", "backfill.orders@20"),
    ],
)
def test_bash_replaces_from_its_last_break_on(current: str, replaced: str) -> None:
    typed = cut(f"reconciler explain {current}", BREAKS)
    assert typed.current[typed.kept :] == replaced


@pytest.mark.parametrize(
    ("line", "arguments", "redirects"),
    [
        ("A=1 reconciler plan ", ["plan"], False),
        ("reconciler plan > out.txt --js", ["plan"], False),
        ("reconciler plan 2>err --js", ["plan"], False),
        ("reconciler plan > ", ["plan", ">"], True),
        ("reconciler plan >ou", ["plan"], True),
    ],
)
def test_redirections_are_no_arguments(line: str, arguments: list[str], redirects: bool) -> None:
    typed = cut(line, BREAKS)
    assert typed.redirects is redirects
    if not redirects:
        assert typed.arguments == arguments
