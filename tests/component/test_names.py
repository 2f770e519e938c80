"""Names: grammar, likeness, versions that serve each other."""

from __future__ import annotations

import pytest

from wasi_native.component.names import canonical, is_label, parse, provider, serves, strong, version

LABELS = ["a", "A", "a1", "a-b-c", "A-B", "a-1", "a11-w0rds", "A11-4CR0NYMS", "m1x3d-4CR0NYMS", "is-XML"]


@pytest.mark.parametrize("text", LABELS)
def test_labels(text: str) -> None:
    assert is_label(text)


@pytest.mark.parametrize(
    "text", ["", "-", "a-", "-a", "a--b", "1", "1-a", "aB", "a_b", "a b", "ä", "a-Bc", "a.b"]
)
def test_what_is_no_label(text: str) -> None:
    assert not is_label(text)


@pytest.mark.parametrize(
    ("text", "kind", "label", "resource", "package", "number"),
    [
        ("run", "label", "run", "", "", ""),
        ("[constructor]a-b", "constructor", "a-b", "a-b", "", ""),
        ("[method]a.b", "method", "b", "a", "", ""),
        ("[static]a.b", "static", "b", "a", "", ""),
        ("wasi:io/poll", "interface", "poll", "", "wasi:io", ""),
        ("wasi:io/poll@0.2.12", "interface", "poll", "", "wasi:io", "0.2.12"),
        ("a-b:c-d/E-f@1.0.0-rc.1+x.0", "interface", "E-f", "", "a-b:c-d", "1.0.0-rc.1+x.0"),
    ],
)
def test_names(text: str, kind: str, label: str, resource: str, package: str, number: str) -> None:
    found = parse(text)
    assert (found.kind, found.label, found.resource) == (kind, label, resource)
    assert (found.package, found.version) == (package, number)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "kebab"),
        ("aBc", "kebab"),
        ("[method]a", "dot is missing"),
        ("[method]a.", "two labels"),
        ("[static]a.b.c", "two labels"),
        ("[constructor]", "kebab"),
        ("[constructor]a.b", "kebab"),
        ("[other]a", "annotation"),
        ("[method", "annotation"),
        ("wasi:", "namespace:package/interface"),
        ("A:b/c", "namespace:package/interface"),
        ("a:b/c/d", "nested"),
        ("a:b:c/d", "nested"),
        ("a:b/c@", "version"),
        ("a:b/c@1.0", "1.2.3"),
        ("a:b/c@1.0.0.0", "1.2.3"),
        ("a:b/c@01.0.0", "1.2.3"),
        ("a:b/c@1.0.0-", "identifier"),
        ("a:b/c@1.0.0+", "identifier"),
        ("a:b/c@1.0.0-a..b", "identifier"),
        ("a:b/c@1.0.0-01", "begins with 0"),
    ],
)
def test_what_is_no_name(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


def test_strong_names() -> None:
    """The examples of the specification: all of the first list may stand together, none of the second with them."""
    fine = ["foo", "foo-bar", "[constructor]foo", "[method]foo.bar", "[static]foo.baz", "foo:bar/baz"]
    taken = {strong(text) for text in fine}
    assert len(taken) == len(fine)
    bad = [
        "foo",
        "FOO",
        "foo-BAR",
        "[constructor]FOO",
        "[method]foo.BAR",
        "[static]foo.bar",
        "[method]foo.baz",
    ]
    bad += ["[method]foo.foo", "[static]foo-BAR.FOO-bar", "foo:bar/BAZ"]
    assert [text for text in bad if strong(text) not in taken] == []


def test_versions() -> None:
    assert version("1.20.3") == (1, 20, 3, "")
    assert version("0.0.0-a.1+b") == (0, 0, 0, "a.1")
    tracks = {"1.2.3": "1", "0.2.6": "0.2", "0.0.1": "0.0.1", "0.0.0": "0.0.0", "": ""}
    tracks |= {"0.2.6-rc.1": "0.2.6-rc.1", "1.0.0-a+b": "1.0.0-a", "2.3.4+b": "2"}
    assert {text: canonical(text) for text in tracks} == tracks


@pytest.mark.parametrize(
    ("offered", "wanted", "right"),
    [
        ("wasi:io/poll@0.2.12", "wasi:io/poll@0.2.0", True),
        ("wasi:io/poll@0.2.0", "wasi:io/poll@0.2.12", True),
        ("wasi:io/poll@0.2.12", "wasi:io/poll@0.3.0", False),
        ("wasi:io/poll@0.2.12", "wasi:io/streams@0.2.12", False),
        ("wasi:io/poll@1.0.0", "wasi:io/poll@1.9.0", True),
        ("wasi:io/poll@0.0.1", "wasi:io/poll@0.0.2", False),
        ("wasi:io/poll@0.3.0-rc-2026-01-06", "wasi:io/poll@0.3.0", False),
        ("wasi:io/poll@0.3.0-rc-2026-01-06", "wasi:io/poll@0.3.0-rc-2026-02-09", False),
        ("wasi:io/poll@0.3.0-rc-2026-01-06", "wasi:io/poll@0.3.0-rc-2026-01-06", True),
        ("wasi:io/poll", "wasi:io/poll@0.2.0", False),
        ("wasi:io/poll", "wasi:io/poll", True),
        ("log", "log", True),
        ("wasi:io/poll@x", "wasi:io/poll@0.2.0", False),
    ],
)
def test_who_serves_whom(offered: str, wanted: str, right: bool) -> None:
    assert serves(offered, wanted) is right


def test_the_provider_is_the_equal_one_or_the_newest() -> None:
    offers = ["a:b/c@0.2.3", "a:b/c@0.2.12", "a:b/c@0.3.0", "x"]
    assert provider(offers, "a:b/c@0.2.3") == "a:b/c@0.2.3"
    assert provider(offers, "a:b/c@0.2.5") == "a:b/c@0.2.12"
    assert provider(offers, "a:b/c@0.4.0") is None
    assert provider(offers, "x") == "x"
