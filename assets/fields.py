"""One precision for every amount in the database: exact, and wide enough for any chain."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.db import models

DIGITS = 60
PLACES = 24


class AmountInput(forms.DecimalField):
    """Shows a number the way people write it; the default shows 0.00000001 as 1E-8."""

    def prepare_value(self, value: Any) -> Any:
        return format(value, "f") if isinstance(value, Decimal) else value


class AmountField(models.DecimalField):  # type: ignore[type-arg]
    """An exact amount, price or value."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", DIGITS)
        kwargs.setdefault("decimal_places", PLACES)
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": AmountInput, **kwargs})

    def from_db_value(self, value: Decimal | None, *_: Any) -> Decimal | None:
        """Drop the zeros the column pads with, so that forms show the number as it was meant."""
        if value is None:
            return None
        text = format(value, "f")
        return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
