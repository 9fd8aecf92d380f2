"""Other ways to say a name that follow from rules: adjectives, cancers, organs, anions."""

import re
from collections.abc import Iterator

_NEOPLASMS = re.compile(r"\bneoplasms?$", re.IGNORECASE)
_CANCERS = ("cancer", "tumor", "carcinoma", "malignancy")
_ADJECTIVES = (
    ("tension", "tensive"), ("kinesia", "kinetic"), ("epsy", "eptic"), ("toxicity", "toxic"), ("osis", "otic"),
    ("itis", "itic"), ("autism", "autistic"), ("alcoholism", "alcoholic"), ("inflammation", "inflammatory"),
    ("diabetes", "diabetic"), ("diabetes mellitus", "diabetic"), ("thromboembolism", "thromboembolic"),
    ("seizures", "convulsive"), ("psychosis", "psychotic"),
)  # fmt: skip
_PARTS = {
    "kidney": ("renal",), "heart": ("cardiac", "myocardial"), "liver": ("hepatic",), "lung": ("pulmonary",),
    "brain": ("cerebral",), "stomach": ("gastric",), "colonic": ("colon",), "ovarian": ("ovary",),
    "prostatic": ("prostate",), "pancreatic": ("pancreas",), "uterine": ("uterus",), "thyroid": ("thyroid gland",),
    "esophageal": ("esophagus",), "urinary bladder": ("bladder",), "intestinal": ("bowel", "gut"),
    "nervous system": ("neurological", "neurologic"), "blood platelet": ("platelet",), "bone marrow": ("marrow",),
    "skin": ("cutaneous",), "eye": ("ocular",), "muscle": ("muscular",), "joint": ("articular",),
    "vascular": ("blood vessel",), "mental": ("psychiatric",), "breast": ("mammary",),
}  # fmt: skip
_TROUBLES = ("disease", "disorder", "dysfunction", "damage", "injury", "abnormality", "impairment", "complication",
             "toxicity", "lesion", "involvement")  # fmt: skip
_HEADS = {
    "insufficiency": ("failure", "impairment"), "failure": ("insufficiency",), "deficiency": ("deficit",),
    "syndrome": ("disease",), "disease": ("syndrome", "disorder"), "disorder": ("disease",), "seizure": ("convulsion",),
    "hemorrhage": ("bleeding",), "infarction": ("infarct",), "enlargement": ("hypertrophy",), "edema": ("swelling",),
    "disability": ("retardation",), "neuropathy": ("nerve disease",), "nephropathy": ("kidney disease",),
    "carcinoma": ("cancer",), "cancer": ("carcinoma",),
}  # fmt: skip


def disease_variants(term: str, is_heading: bool) -> Iterator[str]:
    """Other ways to say a disease.

    Args:
        term: its name in small letters.
        is_heading: whether the term is the entity's own name; of "kidney diseases" any trouble of the kidney is one.

    >>> list(disease_variants("hypertension", True)), list(disease_variants("lung neoplasms", False))[:3]
    (['hypertensive'], ['lung cancer', 'lung tumor', 'lung carcinoma'])
    """
    if term.startswith("drug ") and term.count(" ") == 1:
        yield term[len("drug ") :]
    yield from _without_generic_head(term)
    if " " not in term or term == "diabetes mellitus":
        yield from adjectives(term)
        yield from _with_other_head(term)
        return
    found = [term]
    if _NEOPLASMS.search(term):
        found += [_NEOPLASMS.sub(other, term) for other in _CANCERS]
    elif is_heading and term.endswith(" diseases"):
        found += [term[: -len("diseases")] + trouble for trouble in _TROUBLES]
    else:
        found += list(_with_other_head(term))
    for said in list(found):
        for part, others in _PARTS.items():
            if said.startswith(f"{part} "):
                found += [other + said[len(part) :] for other in others]
    yield from found[1:]


_GENERIC_HEAD = re.compile(r"^(\S+) (?:disorders?|diseases?|syndromes?)$")
_EPONYM = re.compile(r"(?:[vV]on )?[A-Z]?[a-z]+(?:-[A-Z][a-z]+)+|[vV]on [A-Z][a-z]+")
_NOUN_ENDINGS = ("ty", "ia", "is", "sy", "graine", "ism", "ma", "ias")
_NO_DISEASE_ADJECTIVES = frozenset({"ophthalmic", "nephrotic"})


def _without_generic_head(term: str) -> Iterator[str]:
    """`migraine disorders` is migraine, `Tay-Sachs disease` goes by Tay-Sachs; `mental disorders` are not mental."""
    match = _GENERIC_HEAD.match(term)
    if match is not None and (match[1].endswith(_NOUN_ENDINGS) or _EPONYM.fullmatch(match[1])):
        yield match[1]


_DISEASE_NOUN = re.compile(
    r"(?:toxicity|rhythmia|.[aeo]mia|algia|plegia|kinesia|thermia|uria|pertension|potension|penia|osis|itis|oma|pathy|[Oo]verdose"
    r"|[Ww]eakness|[Rr]igidity|[Aa]gitation|[Ff]racture|[Ss]pasm|[Bb]leeding)s?$"
)


def shortened(term: str) -> Iterator[str]:
    """What is left of an inverted name or of a name of two words when the qualifier goes; good only if it is no
    other entity's too.

    >>> list(shortened("Arrhythmias, Cardiac")), list(shortened("Psychomotor Agitation"))
    (['Arrhythmias'], ['Agitation'])
    """  # noqa: D205
    base, comma, _ = term.partition(", ")
    head = base if comma else term.rpartition(" ")[2]
    if (comma or term.count(" ") == 1) and " " not in head and _DISEASE_NOUN.search(head):
        yield head


def _with_other_head(term: str) -> Iterator[str]:
    before, _, head = term.rpartition(" ")
    singular = head[:-1] if head.endswith("s") and head[:-1] in _HEADS else head
    for other in _HEADS.get(singular, ()):
        yield f"{before} {other}".strip()


def adjectives(term: str) -> Iterator[str]:
    """The adjective of a disease of one word.

    >>> [*adjectives("schizophrenia"), *adjectives("thrombosis"), *adjectives("epilepsy")]
    ['schizophrenic', 'thrombotic', 'epileptic']
    """
    for noun, adjective in _ADJECTIVES:
        if term.endswith(noun) and term[: -len(noun)] + adjective not in _NO_DISEASE_ADJECTIVES:
            yield term[: -len(noun)] + adjective
            return
    if term.endswith("ia") and len(term) > 4 and term[:-1] + "c" not in _NO_DISEASE_ADJECTIVES:
        yield term[:-1] + "c"


def chemical_variants(term: str) -> Iterator[str]:
    """The anion that text names an acid by.

    >>> list(chemical_variants("valproic acid")), list(chemical_variants("glutamic acid"))
    (['valproate'], ['glutamate'])
    """
    if term.endswith("ic acid") and " " not in term[:-5]:
        yield term[: -len("ic acid")] + "ate"
