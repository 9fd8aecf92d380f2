"""The one spelling under which the dictionary and the text meet.

A text is cut into words (runs of letters and digits) and single marks. Each word has a normal form: small letters,
Greek letters by name, no accents, American spelling, singular. Hyphens, slashes, apostrophes and blanks have an empty
one. The key of a name is its normal forms run together, so that `TNF-α`, `TNF alpha` and `TNFalpha` have one key. What
the key throws away (case, blanks) is checked afterwards where it matters: see `lexicon.py`.
"""

import re
import unicodedata
from functools import lru_cache

TOKEN = re.compile(r"['’`´]s(?![^\W_])|[^\W_]+|[^\w\s]|_")
"""A possessive ending, a word, or a mark."""

SEPARATORS = frozenset("-‐‑‒–—−/'’`´_·•\u00ad*®™")

GREEK: dict[str, str] = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ϑ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi",
    "ο": "omicron", "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi",
    "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "ß": "beta",
}  # fmt: skip
_FOLDED = {**{ord(letter): name for letter, name in GREEK.items()}, ord("µ"): "mu", ord("ﬁ"): "fi", ord("ﬂ"): "fl"}
_ROMAN = {
    "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11", "xii": "12",
    "xiii": "13", "xiv": "14",
}  # fmt: skip

_SHORTEST_SPELLING = 5
_SHORTEST_PLURAL = 4
_LONGEST_NAME_LIKE = 5


@lru_cache(maxsize=1 << 18)
def normal_form(token: str) -> bytes:
    """The normal form of a word or mark in UTF-8; empty for what separates.

    >>> [normal_form(w) for w in ("Tumours", "α", "IL", "-", "Ischaemia", "'s", "NSAIDs", "Kras")]
    [b'tumor', b'alpha', b'il', b'', b'ischemia', b'', b'nsaid', b'kras']
    """
    if token in SEPARATORS or (len(token) == 2 and token[0] in "'’`´"):
        return b""
    if not token.isascii():
        token = _fold(token)
    lower = token.lower()
    if not lower.isalpha():
        return _without_plural(token, lower).encode() if lower[-1:] == "s" else lower.encode()
    if lower in _ROMAN:
        return _ROMAN[lower].encode()
    if len(lower) >= _SHORTEST_SPELLING:
        lower = _american(lower)
    return (_without_plural(token, lower) if lower[-1] == "s" else lower).encode()


def _fold(token: str) -> str:
    """Greek letters by name (also capitals), accents off."""
    lowered = "".join(c.lower() if "Ͱ" <= c <= "Ͽ" else c for c in token)
    folded = lowered.translate(_FOLDED)
    if folded.isascii():
        return folded
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))


def _american(word: str) -> str:
    word = word.replace("ae", "e").replace("oe", "e").replace("sulph", "sulf").replace("alumini", "alumin")
    for british, american in (("our", "or"), ("ours", "ors")):
        if word.endswith(british) and len(word) > len(british) + 2:
            return word[: -len(british)] + american
    return word


def _without_plural(token: str, lower: str) -> str:
    """A word in the singular; capital S stays (`HRAS`), so do short names in mouse spelling (`Kras`)."""
    if len(lower) < _SHORTEST_PLURAL or token[-1] != "s" or lower.endswith(("ss", "us", "is")):
        return lower
    if len(token) <= _LONGEST_NAME_LIKE and token[0].isupper() and token[1:].islower():
        return lower
    for plural, singular in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("stases", "stasis")):
        if lower.endswith(plural) and len(lower) > len(plural) + 2:
            return lower[: -len(plural)] + singular
    if lower.endswith("oses") and len(lower) > 6:
        return lower[:-2] + "is"
    return lower[:-1]


def key_of(name: str) -> bytes:
    """The key of a name.

    >>> key_of("Alzheimer's Diseases"), key_of("TNF-α") == key_of("TNFalpha")
    (b'alzheimerdisease', True)
    """
    return b"".join(normal_form(token) for token in TOKEN.findall(name))


@lru_cache(maxsize=1 << 16)
def cased(name: str) -> str:
    """A name as its key is made, but with its case kept and no word changed: what symbols are compared by.

    >>> cased("IL-2"), cased("TNF-α")
    ('IL2', 'TNFalpha')
    """
    joined = "".join(token for token in TOKEN.findall(name) if token not in SEPARATORS)
    return joined if joined.isascii() else _fold(joined)


def uninverted(name: str) -> str:
    """`Disease, Alzheimer` as it is said: `Alzheimer Disease`; names that are not inverted come back unchanged.

    >>> uninverted("Leukemia, Myeloid, Acute"), uninverted("1,2-dichloroethane")
    ('Acute Myeloid Leukemia', '1,2-dichloroethane')
    """
    parts = name.split(", ")
    if len(parts) == 1 or any(not part or not part[0].isalpha() for part in parts):
        return name
    return " ".join(reversed(parts))
