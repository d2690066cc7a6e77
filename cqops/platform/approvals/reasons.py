"""Why people refuse, as codes that can be counted; the words beside a code are theirs."""

from __future__ import annotations

from enum import StrEnum


class RefusalCode(StrEnum):
    TOO_LARGE = "too_large"
    WRONG_MOMENT = "wrong_moment"
    PRICE_MOVED = "price_moved"
    NOT_EXPLAINED = "not_explained"
    NOT_AS_AGREED = "not_as_agreed"
    OTHER = "other"


WORDS: dict[RefusalCode, str] = {
    RefusalCode.TOO_LARGE: "Too large",
    RefusalCode.WRONG_MOMENT: "Not the right moment",
    RefusalCode.PRICE_MOVED: "The price has moved",
    RefusalCode.NOT_EXPLAINED: "Not explained",
    RefusalCode.NOT_AS_AGREED: "Not what was agreed",
    RefusalCode.OTHER: "Another reason",
}
