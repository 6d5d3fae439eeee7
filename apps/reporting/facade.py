"""What others may ask of the read model."""

from apps.reporting.contracts import Lag
from apps.reporting.lag import lag

__all__ = ["Lag", "lag"]
