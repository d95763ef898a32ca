"""The rules that hold over several options or several nouns. Pure: they look at the configuration and nothing else.

They see the sound entries only; where one is not sound, the rules about it wait.
"""

from __future__ import annotations

from isthmus.config.rules import crypto, gateways, interfaces, protection, routes, tunnels, versions, weakness
from isthmus.config.rules.scope import Scope

RULES = (
    *interfaces.RULES,
    *routes.RULES,
    *crypto.RULES,
    *weakness.RULES,
    *gateways.RULES,
    *versions.RULES,
    *tunnels.RULES,
    *protection.RULES,
)


def check_rules(scope: Scope) -> None:
    """Reports every rule that is broken."""
    for rule in RULES:
        rule(scope)
