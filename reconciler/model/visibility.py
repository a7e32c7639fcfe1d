"""Which characters a reader would not see, or would see in another order than they stand."""

from __future__ import annotations

import re

#: Control characters but tab and line ends; lone surrogates; invisible and reordering characters, of
#: which some are letters or marks by category (fillers, joiners, blanks, vowels that are not shown).
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0e\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
