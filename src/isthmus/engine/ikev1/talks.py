"""The exchanges of phase 2 by their message IDs: those under way, and those that still answer repetitions."""

from __future__ import annotations

from isthmus.engine.ikev1.conversation import Conversation
from isthmus.engine.surroundings import Entropy
from isthmus.model.quantities import MessageId

MAX_CONVERSATIONS = 32
"""Quick Modes that one peer may have under way with us."""

_KEPT = 16
"""Conversations that have ended and still answer repetitions."""

_REMEMBERED = 4096
"""Message IDs that are known to have been used: a replayed one begins nothing."""


class Talks:
    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._conversations: dict[MessageId, Conversation] = {}
        self._used: dict[MessageId, None] = {}

    @property
    def crowded(self) -> bool:
        return sum(not c.ended for c in self._conversations.values()) >= MAX_CONVERSATIONS

    def under(self, message_id: MessageId) -> Conversation | None:
        return self._conversations.get(message_id)

    def keep(self, conversation: Conversation) -> None:
        """Remembers an exchange; of those that have ended only the latest."""
        self._conversations[conversation.message_id] = conversation
        ended = [c for c in self._conversations.values() if c.ended]
        for old in ended[: max(0, len(ended) - _KEPT)]:
            del self._conversations[old.message_id]

    def end(self) -> None:
        for conversation in self._conversations.values():
            conversation.end()

    def fresh_message_id(self) -> MessageId:
        while not (number := MessageId(int.from_bytes(self._entropy.octets(4), "big"))) or number in self._used:
            pass
        self.use(number)
        return number

    def use(self, message_id: MessageId) -> bool:
        """Takes a message ID, ours or the peer's; whether it was new."""
        if message_id in self._used:
            return False
        self._used[message_id] = None
        if len(self._used) > _REMEMBERED:
            del self._used[next(iter(self._used))]
        return True
