"""What the sandbox may be told to do wrong, and how its recipients behave."""

import hashlib
import random
from dataclasses import asdict, dataclass, field, fields
from typing import Any

KEY_HORIZON_SECONDS = 72 * 3600


@dataclass
class Rates:
    """How likely each thing is, from 0 to 1; each given that the one before it happened."""

    bounced: float = 0.03
    opened: float = 0.45
    clicked: float = 0.25
    unsubscribed: float = 0.02
    complained: float = 0.002


@dataclass
class Faults:
    """The sandbox's knobs; the default of each is "no fault"."""

    unavailable_rate: float = 0.0  # 503, nothing accepted
    throttle_rate: float = 0.0  # 429, nothing accepted
    throttle_until: float = 0.0  # 429 to everything before this time (Unix seconds)
    retry_after_seconds: int = 1
    error_after_rate: float = 0.0  # 500 once accepted
    silence_after_rate: float = 0.0  # no answer for silence_seconds, once accepted
    silence_seconds: float = 60.0
    reset_after_rate: float = 0.0  # the connection is reset, once accepted
    hold_after_accepting: bool = False  # answer only after /_sandbox/release
    failing_key_rate: float = 0.0  # 500 for ever to any batch that holds such a key
    failing_keys: list[str] = field(default_factory=list)
    latency_seconds: float = 0.0
    lookup_unavailable_rate: float = 0.0  # 503 to by-key and template requests
    key_horizon_seconds: float = KEY_HORIZON_SECONDS
    auto_events: bool = True
    speed: float = 1.0  # 10 makes opens and clicks come ten times sooner
    seed: int = 1
    rates: Rates = field(default_factory=Rates)

    @classmethod
    def parse(cls, given: dict[str, Any], base: "Faults | None" = None) -> "Faults":
        """``base`` with some knobs turned. Raises ValueError for a knob that does not exist."""
        known = asdict(base or cls())
        unknown = set(given) - set(known)
        unknown |= set(given.get("rates") or {}) - {each.name for each in fields(Rates)}
        if unknown:
            raise ValueError(f"There is no knob {sorted(unknown)[0]!r}.")
        rates = known["rates"] | (given.get("rates") or {})
        return cls(**(known | given | {"rates": Rates(**rates)}))

    def is_failing_key(self, key: str) -> bool:
        return key in self.failing_keys or draw(self.seed, "failing", key) < self.failing_key_rate

    def fault_after_accepting(self, dice: random.Random) -> str | None:
        """``"error"``, ``"silence"``, ``"reset"`` or None, at most one of them."""
        throw = dice.random()
        for name in ("error", "silence", "reset"):
            rate = getattr(self, f"{name}_after_rate")
            if throw < rate:
                return name
            throw -= rate
        return None


def draw(*parts: object) -> float:
    """A number from 0 to 1 that is always the same for the same parts."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56
