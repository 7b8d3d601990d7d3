"""Quoting and settling, in whole micro-dollars; `Decimal` only at the rim.

Pure arithmetic on the rate card of a model catalogue row (`rates.py`); holds, ledgers and accounts
are elsewhere. Obeys the model catalogue, section 3, and design section 4.14.
"""

from __future__ import annotations

from kinogate.domain.rates import Micro, RateCard, Rates

__all__ = ["Micro", "RateCard", "Rates"]
