"""`settings:` limits for the gateway as a whole."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from isthmus.config.schema.noun import Noun
from isthmus.config.values.quantities import Whole
from isthmus.config.values.words import Choice
from isthmus.model.plan import WeakAlgorithms


class Settings(Noun):
    """VPN session settings."""

    cookie_activation_threshold: Annotated[int, Whole(0, 65535)] = Field(
        500, description="Half-open IKE SAs above which a peer must return a cookie first; 0: always."
    )
    maximum_half_opened_sa: Annotated[int, Whole(1, 65535)] = Field(
        65535, description="Half-open IKE SAs above which new ones are dropped."
    )
    maximum_cached_certificates: Annotated[int, Whole(1, 4000)] = Field(
        500, description="Certificates fetched by hash and URL that are kept."
    )
    weak_algorithms: Annotated[WeakAlgorithms, Choice(WeakAlgorithms)] = Field(
        WeakAlgorithms.WARN,
        description="`warn` lets algorithms serve that an RFC advises against, and names them; `refuse` makes each an "
        "error, and answers no aggressive mode with a pre-shared key.",
    )
