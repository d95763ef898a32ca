"""Numbers, durations, sizes, true and false."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from isthmus.config.problems import MALFORMED, OUT_OF_RANGE, WRONG_TYPE
from isthmus.config.tree import Quoted
from isthmus.config.values.kind import Context, Kind, fault, shortened
from isthmus.model.quantities import Seconds

_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_OTHER_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_DIGITS = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,16}")

DURATION_UNITS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SIZE_UNITS: Mapping[str, int] = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
"""Powers of 1024, as IKE implementations count the kilobytes of a lifetime."""


class Boolean(Kind):
    """`true` or `false`: YAML 1.2, in which `yes`, `no`, `on` and `off` are words like any other."""

    def read(self, text: str, context: Context) -> bool:
        meant = "true" if text in _TRUE else "false" if text in _FALSE else None
        if meant is not None and not isinstance(text, Quoted):
            return meant == "true"
        raise fault(
            WRONG_TYPE,
            f'"{shortened(text)}" is not true or false',
            meant or _OTHER_BOOLEANS.get(text.lower()),
        )

    def values(self) -> str:
        return "`true` or `false`"

    def wanted(self) -> str:
        return "true or false"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def write(self, value: Any) -> object:
        return bool(value)


class Whole(Kind):
    """A whole number of a range."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def read(self, text: str, context: Context) -> int:
        if _DIGITS.fullmatch(text) and not _NUMBER.fullmatch(text):
            raise fault(MALFORMED, f'"{text}": a number has no leading zero', text.lstrip("0") or "0")
        if not _NUMBER.fullmatch(text.removeprefix("-")):
            raise fault(WRONG_TYPE, f'"{shortened(text)}" is not a whole number')
        number = int(text)
        if isinstance(text, Quoted):
            raise fault(WRONG_TYPE, "a number stands without quotes", text)
        if not self._least <= number <= self._most:
            raise fault(OUT_OF_RANGE, f"{number} is not from {self._least} to {self._most}")
        return number

    def values(self) -> str:
        return f"{self._least} to {self._most}"

    def wanted(self) -> str:
        return f"a number from {self.values()}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self._least, "maximum": self._most}

    def write(self, value: Any) -> object:
        return int(value)


class WholeOf(Kind):
    """One of a few numbers."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers

    def read(self, text: str, context: Context) -> int:
        number = Whole(0, 1 << 32).read(text, context)
        if number not in self._numbers:
            closest = min(self._numbers, key=lambda n: abs(n - number))
            raise fault(OUT_OF_RANGE, f"{number} is none of {self.values()}", str(closest))
        return number

    def values(self) -> str:
        return ", ".join(str(n) for n in self._numbers)

    def wanted(self) -> str:
        return f"one of {self.values()}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "enum": list(self._numbers)}

    def write(self, value: Any) -> object:
        return int(value)


class Automatic(Kind):
    """`auto`, which is None, or a whole number of a range."""

    absent = "auto"

    def __init__(self, least: int, most: int) -> None:
        self._whole = Whole(least, most)

    def read(self, text: str, context: Context) -> int | None:
        return None if text == "auto" else self._whole.read(text, context)

    def values(self) -> str:
        return f"`auto` or {self._whole.values()}"

    def wanted(self) -> str:
        return f"auto or {self._whole.wanted()}"

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"const": "auto"}, self._whole.json_schema()]}

    def write(self, value: Any) -> object:
        return int(value)


class Hexadecimal(Kind):
    """A number written `0x...`."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def read(self, text: str, context: Context) -> int:
        if not _HEX.fullmatch(text):
            guess = f"0x{text}" if _HEX.fullmatch(f"0x{text}") else None
            raise fault(MALFORMED, f'"{shortened(text)}" is not a hexadecimal number', guess)
        number = int(text, 16)
        if not self._least <= number <= self._most:
            raise fault(OUT_OF_RANGE, f"0x{number:x} is not from {self.values()}")
        return number

    def values(self) -> str:
        return f"0x{self._least:08x} to 0x{self._most:08x}"

    def wanted(self) -> str:
        return f"a number from {self.values()}"

    def json_schema(self) -> dict[str, Any]:
        # YAML readers in editors take 0x1000 for the number that it is.
        return {"type": ["string", "integer"], "pattern": "^0x[0-9a-fA-F]+$"}


class _Measure(Kind):
    """A number with a unit."""

    def __init__(self, least: str, most: str, units: Mapping[str, int], noun: str) -> None:
        self._units, self._noun = units, noun
        self._form = re.compile(rf"([0-9]{{1,10}})({'|'.join(units)})")
        self._range = f"{least} to {most}"
        self._least, self._most = self._measured(least) or 0, self._measured(most) or 0

    def read(self, text: str, context: Context) -> Any:
        amount = self._measured(text)
        if amount is None:
            examples = {"duration": "45s, 30m, 8h, 7d", "size": "100MB, 50GB, 1TB"}[self._noun]
            raise fault(MALFORMED, f'"{shortened(text)}" is not a {self._noun}: {examples}', self._meant(text))
        if not self._least <= amount <= self._most:
            raise fault(OUT_OF_RANGE, f"{text} is not from {self._range}")
        return self._typed(amount)

    def values(self) -> str:
        return self._range

    def wanted(self) -> str:
        return f"a {self._noun} from {self._range}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^[0-9]+({'|'.join(self._units)})$"}

    def write(self, value: Any) -> object:
        """The largest unit that leaves a whole number."""
        amount = int(value)
        whole = [unit for unit, octets in self._units.items() if amount % octets == 0 and (amount or octets == 1)]
        return f"{amount // self._units[whole[-1]]}{whole[-1]}"

    def _measured(self, text: str) -> int | None:
        match = self._form.fullmatch(text)
        return int(match[1]) * self._units[match[2]] if match else None

    def _meant(self, text: str) -> str | None:
        """The same with the unit that is missing, or misspelt in its case."""
        compact = text.replace(" ", "")
        first = next(iter(self._units))
        guesses = (compact.lower(), compact.upper(), f"{compact}{first}", f"{compact.upper()}B")
        return next((g for g in guesses if g != text and self._in_range(g)), None)

    def _in_range(self, text: str) -> bool:
        amount = self._measured(text)
        return amount is not None and self._least <= amount <= self._most

    def _typed(self, amount: int) -> Any:
        return amount


class Duration(_Measure):
    """`45s`, `30m`, `8h`, `7d`."""

    def __init__(self, least: str, most: str) -> None:
        super().__init__(least, most, DURATION_UNITS, "duration")

    def _typed(self, amount: int) -> Seconds:
        return Seconds(float(amount))


class Size(_Measure):
    """`100MB`, `50GB`, `1TB`; in octets."""

    def __init__(self, least: str, most: str) -> None:
        super().__init__(least, most, SIZE_UNITS, "size")
