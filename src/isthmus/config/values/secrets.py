"""Where a secret comes from. The value itself is read elsewhere, and never repeated in a message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from isthmus.config.problems import MALFORMED, MISSING, WRONG_TYPE
from isthmus.config.values.kind import Context, Kind, fault, shape
from isthmus.model.secret import Secret

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_CREDENTIAL = re.compile(r"(?!\.{1,2}$)[!-.0-~]{1,255}")  # systemd.exec(5), LoadCredential=: a file name


@dataclass(frozen=True, slots=True)
class FileSecret:
    path: str


@dataclass(frozen=True, slots=True)
class EnvironmentSecret:
    name: str


@dataclass(frozen=True, slots=True)
class CredentialSecret:
    """A systemd credential: a file of that name in $CREDENTIALS_DIRECTORY."""

    name: str


@dataclass(frozen=True, slots=True)
class PlainSecret:
    """Written into the configuration itself."""

    text: Secret


SecretSource: TypeAlias = FileSecret | EnvironmentSecret | CredentialSecret | PlainSecret

_FORMS = "{file: PATH}, {env: NAME}, {credential: NAME} or text"


class SecretValue(Kind):
    """Nothing of what stands here is repeated, keys included: it may be a secret that wanted quotes."""

    def read(self, text: str, context: Context) -> SecretSource:
        return PlainSecret(Secret(text.encode()))

    def read_any(self, raw: object, context: Context) -> SecretSource:
        match raw:
            case None | "":
                raise fault(MISSING, f"the secret is missing: {_FORMS}")
            case str():
                return self.read(raw, context)
            case {"file": str(path), **rest} if not rest and path and "\0" not in path:
                return FileSecret(str(path))
            case {"env": str(name), **rest} if not rest:
                if not _VARIABLE.fullmatch(name):
                    raise fault(MALFORMED, "env is not the name of an environment variable")
                return EnvironmentSecret(str(name))
            case {"credential": str(name), **rest} if not rest:
                if not _CREDENTIAL.fullmatch(name):
                    raise fault(MALFORMED, "credential is not the name of a systemd credential")
                return CredentialSecret(str(name))
            case dict():
                raise fault(MALFORMED, f"a secret is one of {_FORMS}")
            case _:
                raise fault(WRONG_TYPE, f"{shape(raw)} stands here: a secret is one of {_FORMS}")

    def values(self) -> str:
        return "a secret: `{file: PATH}`, `{env: NAME}`, `{credential: NAME}` or, with a warning, text"

    def json_schema(self) -> dict[str, Any]:
        text = {"type": "string", "minLength": 1}
        forms = [
            {"type": "object", "properties": {key: text}, "required": [key], "additionalProperties": False}
            for key in ("file", "env", "credential")
        ]
        return {"anyOf": [*forms, text]}
