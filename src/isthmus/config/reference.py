"""The reference of the configuration, generated from the schema.

`python -m isthmus.config.reference > docs/reference/configuration.md`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from isthmus.config.problems import CODES
from isthmus.config.profiles import built_in_ike, built_in_ipsec
from isthmus.config.schema.json_schema import json_schema
from isthmus.config.unsupported import UNSUPPORTED
from isthmus.model import algorithms
from isthmus.model.algorithms import Encryption, Integrity, KeyExchangeMethod, Prf

_INTRODUCTION = """\
# Configuration

<!-- Generated from the schema by `python -m isthmus.config.reference`; change it there. -->

The configuration is YAML 1.2: one file, or a directory whose `*.yaml` files join: the names of a section may be spread
over them, and so may the routes of a virtual router; a name belongs to one file.
`isthmus check` tells everything that is wrong with it, each as `file:line:column: CODE: text`.
`isthmus schema` prints its JSON Schema.

* Unknown options, duplicates (in two files, too) and values out of range are errors. Nothing is ignored.
* A duration is a whole number with `s`, `m`, `h` or `d`. A size has `KB`, `MB`, `GB` or `TB`, where 1KB is 1024 octets.
* `true` and `false` are the only words for true and false.
* A secret is `{file: PATH}`, `{env: NAME}`, `{credential: NAME}` (a systemd credential) or, with a warning, text.
  One line feed at the end of a file does not belong to it. `0x` and hexadecimal digits stand for octets.
* A relative path is relative to the file in which it stands.
* In the tables, `NAME` stands for a name of your own, and `[]` for an item of a list.
"""


@dataclass(frozen=True, slots=True)
class _Option:
    """A row of a table."""

    path: str
    values: str
    default: str
    text: str


def reference() -> str:
    """The whole page, in Markdown."""
    schema = json_schema()
    parts = [_INTRODUCTION]
    for name, section in schema["properties"].items():
        noun = _noun(section, schema)
        parts.append(f"## `{name}`\n\n{_sentence(section)}\n")
        rows = [(o.path, o.values, o.default, o.text) for o in _options(noun, "", schema)]
        if rows:
            parts.append(_table(("option", "takes", "default", "meaning"), rows))
    parts.extend((_built_in(), _algorithms(), _unsupported(), _codes()))
    return "\n".join(parts)


def _options(noun: dict[str, Any], prefix: str, schema: dict[str, Any]) -> Iterator[_Option]:
    required = noun.get("required", ())
    for name, option in noun["properties"].items():
        path = f"{prefix}{name}"
        inner = _noun(option, schema)
        if "properties" not in inner:
            yield _Option(f"`{path}`", _values(option), _default(option, required=name in required), _sentence(option))
            continue
        step = {"array": "[].", "object": ".NAME."}.get(str(option.get("type")), ".")
        yield _Option(f"`{path}`", _shape(option), "required" if name in required else "", _sentence(option))
        yield from _options(inner, f"{path}{step}", schema)


def _noun(option: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The noun that an option, its items or its entries are; the option itself where they are none."""
    if "$ref" in option:
        found: dict[str, Any] = schema["$defs"][option["$ref"].rpartition("/")[2]]
        return found
    if option.get("type") == "array" and "$ref" in option.get("items", {}):
        return _noun(option["items"], schema)
    entries = option.get("additionalProperties") or next(iter(option.get("patternProperties", {}).values()), None)
    if isinstance(entries, dict) and "$ref" in entries:
        return _noun(entries, schema)
    return option


def _values(option: dict[str, Any]) -> str:
    if option.get("type") == "array":
        least, most = option.get("minItems", 0), option.get("maxItems")
        return f"{least} to {most} of: {_values(option['items'])}"
    if option.get("type") == "object" and "x-values" not in option:
        entries = option.get("additionalProperties") or next(iter(option.get("patternProperties", {}).values()))
        return f"by name: {_values(entries)}"
    return str(option["x-values"])


def _shape(option: dict[str, Any]) -> str:
    if option.get("type") == "array":
        most = f", {option['maxItems']} at most" if "maxItems" in option else ""
        return f"a list{most}"
    return "by name" if option.get("type") == "object" else "a mapping"


def _default(option: dict[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    default = option.get("default")
    if default is None or default == []:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _built_in() -> str:
    ike = [
        (f"`{name}`", ", ".join(p.encryption), ", ".join(p.hash), ", ".join(p.dh_group))
        for name, p in built_in_ike().items()
    ]
    ipsec = [
        (f"`{name}`", ", ".join(p.esp.encryption), ", ".join(p.esp.authentication or ()), p.dh_group)
        for name, p in built_in_ipsec().items()
        if p.esp is not None
    ]
    return "\n".join(
        (
            "## Built-in profiles\n",
            "They need not be written; one that is written under the same name takes its place.\n",
            _table(("ike-crypto-profile", "encryption", "hash", "dh-group"), ike),
            _table(("ipsec-crypto-profile", "encryption", "authentication", "dh-group"), ipsec),
        )
    )


def _algorithms() -> str:
    tables: Sequence[tuple[str, Sequence[Encryption | Integrity | Prf | KeyExchangeMethod]]] = (
        ("encryption", algorithms.ENCRYPTION),
        ("authentication", algorithms.INTEGRITY),
        ("hash", algorithms.PRF),
        ("dh-group, key exchange", algorithms.KEY_EXCHANGE),
    )
    parts = [
        "## Algorithms\n",
        "Weak ones work, because the peer may have nothing better; `check` and the log name them.\n",
    ]
    for title, rows in tables:
        parts.append(_table((title, "number in IKEv2", "note"), [(f"`{r.name}`", r.ikev2, r.because) for r in rows]))
    return "\n".join(parts)


def _unsupported() -> str:
    rows = []
    for row in UNSUPPORTED:
        path = row.path.replace("/*", ".NAME").replace("/", ".")
        values = f": `{'`, `'.join(sorted(row.values))}`" if row.values else ""
        rows.append((f"`{path}`{values}", row.what))
    text = "These are read and checked, and refused at their line, because their behaviour is still to come.\n"
    return "\n".join(("## Not yet supported\n", text, _table(("option", "feature"), rows)))


def _codes() -> str:
    rows = [(f"`{code.name}`", code.severity.value, code.title) for code in CODES]
    text = "With an error the configuration is not used; with a warning it is.\n"
    return "\n".join(("## Problems\n", text, _table(("code", "severity", "meaning"), rows)))


def _sentence(described: dict[str, Any]) -> str:
    return " ".join(str(described["description"]).split())


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    print(reference(), end="")
