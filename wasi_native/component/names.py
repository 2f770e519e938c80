"""Names of imports and exports: their grammar, when two are too alike, which versions serve each other.

Pure functions over strings, by the rules of the component model's text (kebab labels, plain names such as
``[method]a.b``, interface names such as ``wasi:io/poll@0.2.0``, Semantic Versioning 2.0).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Name", "canonical", "is_label", "parse", "provider", "serves", "strong", "version"]

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_UPPER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_DIGITS = frozenset("0123456789")
_IDENTIFIER = _LOWER | _UPPER


class Name:
    """A parsed name. ``kind``: label, constructor, method, static, interface.

    ``label`` is the last part: of a label itself, the member of a method or static function, the interface.
    ``resource`` is that of a constructor, method or static function. ``package`` is ``ns:pkg``, and ``version``
    what stands behind the @, both "" where there is none.
    """

    __slots__ = ("kind", "label", "package", "resource", "version")

    def __init__(
        self, kind: str, label: str, resource: str = "", package: str = "", version: str = ""
    ) -> None:
        self.kind, self.label, self.resource = kind, label, resource
        self.package, self.version = package, version


def is_label(text: str) -> bool:
    """Kebab case: words of small letters or acronyms of capitals, with digits, and a letter first."""
    if not text or text[0] in "0123456789-":
        return False
    if _LOWER.issuperset(text):
        return text[-1] != "-" and "--" not in text
    if not _IDENTIFIER.issuperset(text):
        return False
    return all(part and (_LOWER.issuperset(part) or _UPPER.issuperset(part)) for part in text.split("-"))


def _is_words(text: str) -> bool:
    return _LOWER.issuperset(text) and is_label(text)


def parse(text: str) -> Name:
    """What the name of an import or export says. ValueError: it is none; the text says why."""
    if is_label(text):
        return Name("label", text)
    if text.startswith("["):
        kind, bracket, rest = text[1:].partition("]")
        if bracket and kind == "constructor":
            if not is_label(rest):
                raise ValueError(f"{rest!r} is not in kebab case")
            return Name("constructor", rest, rest)
        if bracket and kind in ("method", "static"):
            resource, dot, label = rest.partition(".")
            if not dot:
                raise ValueError("a dot is missing between the resource and its function")
            if not (is_label(resource) and is_label(label)):
                raise ValueError(f"{rest!r} is not two labels in kebab case")
            return Name(kind, label, resource)
        raise ValueError("an unknown annotation in brackets")
    if ":" not in text:
        raise ValueError("it is not in kebab case")
    whole, at, number = text.partition("@")
    namespace, _colon, rest = whole.partition(":")
    package, slash, label = rest.partition("/")
    if not (_is_words(namespace) and _is_words(package) and slash and is_label(label)):
        if whole.count(":") > 1 or label.count("/"):
            raise ValueError("nested namespaces and packages are not offered")
        raise ValueError("it is not of the form namespace:package/interface")
    if at:
        version(number)
    return Name("interface", label, "", f"{namespace}:{package}", number)


def strong(text: str) -> str:
    """What must differ from that of each other name beside it."""
    if text.startswith("["):
        kind, _bracket, rest = text.partition("]")
        if kind != "[constructor":
            resource, _dot, label = rest.partition(".")
            return (label if resource.lower() == label.lower() else rest).lower()
    return text.lower()


def version(text: str) -> tuple[int, int, int, str]:
    """Major, minor, patch and the prerelease of a version; what stands behind a + does not count. ValueError."""
    front, plus, build = text.partition("+")
    core, dash, before = front.partition("-")
    numbers = core.split(".")
    if len(numbers) != 3 or not all(_is_number(part) for part in numbers):
        raise ValueError(f"{text!r} is no version: it is not of the form 1.2.3")
    for given, identifiers in ((dash, before), (plus, build)):
        if given and not all(part and _IDENTIFIER.issuperset(part) for part in identifiers.split(".")):
            raise ValueError(f"{text!r} is no version: an identifier in it is empty or has wrong letters")
    for part in before.split("."):
        if len(part) > 1 and part[0] == "0" and _DIGITS.issuperset(part):
            raise ValueError(f"{text!r} is no version: a number in it begins with 0")
    return int(numbers[0]), int(numbers[1]), int(numbers[2]), before


def _is_number(text: str) -> bool:
    return 0 < len(text) <= 20 and _DIGITS.issuperset(text) and (text[0] != "0" or len(text) == 1)


def canonical(text: str) -> str:
    """The track of a version, in which all serve each other: "1", "0.2", "0.0.3"; a prerelease stands alone."""
    if not text:
        return ""
    major, minor, patch, before = version(text)
    if before:
        return text.partition("+")[0]
    return f"{major}" if major else f"0.{minor}" if minor else f"0.0.{patch}"


def serves(offered: str, wanted: str) -> bool:
    """Whether the export or host interface ``offered`` may stand for the import ``wanted``.

    Plain names and unversioned ones must be equal. Of two versions the track must be the same (0.2.x by the minor
    number); a prerelease serves itself alone. A newer import may need what an older offer lacks: the functions
    that are used decide that, when they are linked.
    """
    if offered == wanted:
        return True
    one, _at, first = offered.partition("@")
    other, _at, second = wanted.partition("@")
    if one != other or not first or not second:
        return False
    try:
        return canonical(first) == canonical(second)
    except ValueError:
        return False


def provider(offers: Iterable[str], wanted: str) -> str | None:
    """Which of ``offers`` serves ``wanted``: the equal one, or else the newest of its track."""
    found: list[tuple[tuple[int, int, int], str]] = []
    for offer in offers:
        if offer == wanted:
            return offer
        if serves(offer, wanted):
            found.append((version(offer.partition("@")[2])[:3], offer))
    return max(found)[1] if found else None
