from __future__ import annotations

import pytest
import yaml

from reconciler.documents import MapNode, ReadDocuments, ScalarNode, plain, read_documents, reading


@pytest.fixture(params=["c", "pure"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure":
        monkeypatch.setattr(reading, "_Loader", yaml.SafeLoader)


def read(text: str | bytes) -> ReadDocuments:
    return read_documents(text.encode() if isinstance(text, str) else text, "a.yaml")


def problems(text: str | bytes) -> list[tuple[str, int, int]]:
    return [
        (item.code, item.place.line, item.place.column)
        for item in read(text).diagnostics
        if item.place is not None
    ]


def test_values_are_plain_data_and_keys_are_texts() -> None:
    text = "a: [1, x, {b: null}]\n74324: 007\n'q': '1'\n"
    assert [plain(document.root) for document in read(text).documents] == [
        {"a": [1, "x", {"b": None}], "74324": 7, "q": "1"}
    ]


def test_a_scalar_keeps_its_source_text_and_place() -> None:
    root = read("# first\nkey:  007\n").documents[0].root
    assert isinstance(root, MapNode)
    assert root.get("key") == ScalarNode(2, 7, "007", 7)
    assert root.keys["key"] == ScalarNode(2, 1, "key", "key")


def test_several_documents_are_read_and_empty_ones_left_out() -> None:
    text = "---\na: 1\n---\n# nothing\n---\nb: 2\n...\n"
    assert [plain(document.root) for document in read(text).documents] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff", "\r\n\r\n"])
def test_an_empty_file_has_no_documents_and_no_problems(text: str) -> None:
    result = read(text)
    assert (result.documents, result.diagnostics) == ((), ())


@pytest.mark.parametrize("text", ["\ufeffa: 1\nb: 2\n", "a: 1\r\nb: 2\r\n", "a: 1\rb: 2\r"])
def test_byte_order_mark_and_any_line_end_are_accepted(text: str) -> None:
    result = read(text)
    assert not result.diagnostics
    assert plain(result.documents[0].root) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", ("duplicate_key", 2, 1)),
        ("a: &x 1\n", ("anchor", 1, 4)),
        ("a: *x\n", ("alias", 1, 4)),
        ("a: !!python/object:os.system {}\n", ("tag", 1, 4)),
        ("a: !!str 1\n", ("tag", 1, 4)),
        ("- ! x\n", ("tag", 1, 3)),
        ("b:\n  <<: {a: 1}\n", ("merge_key", 2, 3)),
        ("? [a]\n: 1\n", ("key", 1, 3)),
        ("'': 1\n", ("key", 1, 1)),
        ("%YAML 1.1\n---\na: 1\n", ("directive", 1, 1)),
        ("a:\n\t- b\n", ("yaml_syntax", 2, 1)),
        ("a: b: c\n", ("yaml_syntax", 1, 5)),
        ("a: 1\n\x00", ("invisible_character", 2, 1)),
        ("a: \x1b[31m\n", ("invisible_character", 1, 4)),
        ("a: x\u202ey\n", ("invisible_character", 1, 5)),
        ("# comment \u200b\n", ("invisible_character", 1, 11)),
        ('a: "\\u202e"\n', ("invisible_character", 1, 4)),
        ('a: "\\0"\n', ("invisible_character", 1, 4)),
        ("a: x\u2028b: y\n", ("invisible_character", 1, 5)),
    ],
)
def test_what_the_subset_lacks_is_refused_with_its_place(
    text: str, expected: tuple[str, int, int]
) -> None:
    assert expected in problems(text)


@pytest.mark.parametrize(
    "data",
    [
        "a: 1".encode("utf-16"),
        "a: 1".encode("utf-32"),
        "a: 1".encode("utf-16-be"),
        b"a: \xff\n",
        b"\xc3",
    ],
)
def test_other_encodings_than_utf8_are_refused(data: bytes) -> None:
    result = read(data)
    assert not result.documents
    assert {item.code for item in result.diagnostics} <= {"encoding", "invisible_character"}
    assert all(item.place is not None for item in result.diagnostics)
    assert result.diagnostics


def test_invalid_utf8_is_found_where_it_is() -> None:
    assert problems("a: 1\nbé: ".encode() + b"\xff\n") == [("encoding", 2, 5)]


def test_a_duplicate_keeps_the_first_value_and_names_its_place() -> None:
    result = read("a: 1\nb: 0\na: 2\n")
    assert plain(result.documents[0].root) == {"a": 1, "b": 0}
    assert result.diagnostics[0].detail == "first at line 1, column 1"
    assert result.diagnostics[0].excerpt == "a: 2"


def test_documents_before_a_syntax_error_are_still_read() -> None:
    result = read("a: 1\n---\nb: [\n")
    assert len(result.documents) == 1
    assert len(result.diagnostics) == 1


def test_problems_after_a_refused_construct_are_still_found() -> None:
    assert [code for code, _, _ in problems("a: &x 1\nb: *x\nc: 1\nc: 2\n")] == [
        "anchor",
        "alias",
        "duplicate_key",
    ]


def test_an_excerpt_is_cut_and_shows_control_characters() -> None:
    result = read("a: &x \t" + "y" * 1000 + "\n")
    excerpt = result.diagnostics[0].excerpt
    assert excerpt is not None
    assert len(excerpt) == 200
    assert "␉" in excerpt


def test_depth_is_bounded_at_twenty() -> None:
    assert not problems("[" * 20 + "]" * 20)
    assert problems("[" * 21 + "]" * 21) == [("too_deep", 1, 21)]


def test_nodes_are_bounded() -> None:
    assert not problems("[" + "1," * 49_999 + "]")
    assert [code for code, _, _ in problems("[" + "1," * 50_000 + "]")] == ["too_many_nodes"]


def test_size_is_bounded() -> None:
    assert [code for code, _, _ in problems("#" * (1024 * 1024 + 1))] == ["file_too_large"]
    assert not problems("#" * (1024 * 1024))
