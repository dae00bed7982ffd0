"""The words of commands, and how a sentence becomes tokens.

Function words become upper-case markers; the words that describe things stay lower-case.
"""

from __future__ import annotations

import re

PICK, PLACE, HOME, LOOK, WAIT = "PICK", "PLACE", "HOME", "LOOK", "WAIT"
VERBS = frozenset({PICK, PLACE, HOME, LOOK, WAIT})
DOWN = "DOWN"
"""Follows PLACE where no target is needed, as in "drop it" or "open the gripper"."""
AT, TO, FROM = "AT", "TO", "FROM"
"""Where something is or shall be; where it shall be; where it is now."""
AND, THEN, CORRECT, EXCEPT = "AND", "THEN", "CORRECT", "EXCEPT"
ALL, OTHER = "ALL", "OTHER"
QUANTIFIERS = frozenset({ALL, OTHER})

DETERMINERS = frozenset({"the", "a", "an", "my", "your", "some"})
DEMONSTRATIVES = frozenset({"this", "that", "these", "those"})
PRONOUNS = frozenset({"it", "them", "they", "there"}) | DEMONSTRATIVES
PLURAL_PRONOUNS = frozenset({"them", "they", "these", "those"})
NUMBERS = {"both": 2, "two": 2, "three": 3, "four": 4, "five": 5}
COLOURS = frozenset(
    {
        "red",
        "green",
        "blue",
        "yellow",
        "white",
        "black",
        "orange",
        "purple",
        "violet",
        "pink",
        "brown",
        "grey",
        "gray",
        "cyan",
    }
)
SIZES = frozenset({"little", "small"})
"""Ignored: everything that can be moved has the same size."""

NOUNS = {
    "block": "block",
    "cube": "block",
    "brick": "block",
    "bowl": "bowl",
    "basin": "bowl",
    "plate": "plate",
    "dish": "plate",
    "saucer": "plate",
    "zone": "zone",
    "area": "zone",
    "one": "",
    "thing": "",
    "object": "",
    "item": "",
    "stuff": "",
}
"""Noun -> kind, empty for a noun that fits everything."""
PLURALS = {noun + ("es" if noun.endswith("sh") else "s"): noun for noun in NOUNS}

NOT_UNDERSTOOD = frozenset(
    {
        "not",
        "never",
        "nothing",
        "without",
        "unless",
        "if",
        "until",
        "till",
        "before",
        "after",
        "while",
        "when",
        "whenever",
        "instead",
        "or",
        "nor",
        "beside",
        "near",
        "between",
        "behind",
        "under",
        "below",
        "above",
        "against",
        "nearest",
        "closest",
        "leftmost",
        "rightmost",
    }
)
"""Words that change what a sentence means, so that a command with one must not be carried out."""

_PLACES = {
    "left": "left",
    "right": "right",
    "front": "front",
    "back": "back",
    "middle": "centre",
    "center": "centre",
    "centre": "centre",
}

_RULES: tuple[tuple[str, str], ...] = (
    (
        "",
        r"(?:can|could|would|will) you(?: please)?|i (?:want|need) you to|id like you to"
        r"|i would like you to|for me|thank you|thanks|right (?:now|away)",
    ),
    ("not", r"dont|do not|cannot|cant|shouldnt"),
    ("beside", r"next to|close to|beside"),
    (EXCEPT, r"except(?: for)?|apart from|other than|but not|but|besides|excluding"),
    (
        CORRECT,
        r"wait (?:, )?no|no (?:, )?(?:wait|sorry)|i meant?|no|sorry|actually|rather"
        r"|make that",
    ),
    (
        LOOK,
        r"(?:take|have) (?:a|another) look(?: around| again)?"
        r"|look(?: around| again)?(?: from home)?(?: at the (?:table|scene))?",
    ),
    (
        HOME,
        r"(?:(?:go|return|move|come)(?: back)? )?(?:to )?(?:the |your )?home"
        r"(?: position| pose)?",
    ),
    (
        WAIT,
        r"wait(?: here)?(?: for)?(?: (?:a|one) (?:bit|moment|second|while))?"
        r"|hold (?:on|still)|pause",
    ),
    (rf"{PLACE} {DOWN} \1", r"let (it|that|them) go"),
    (
        f"{PLACE} {DOWN}",
        r"open (?:the |your )?(?:gripper|hand|fingers)|let go(?: of)?|release|drop"
        r"|(?:put|set|lay) down",
    ),
    (
        PICK,
        r"(?:take|grab|get) hold of|(?:pick|lift|take|get)(?: up)?|grab|grasp|fetch|hold|raise"
        r"|collect",
    ),
    (
        PLACE,
        r"put|place|move|bring|set|lay|transfer|carry|deposit|shift|stow|insert|send|deliver"
        r"|relocate|position|load",
    ),
    (AND, r"and also|as well as|along with|and|plus|,"),
    (
        "",
        r"please|kindly|just|now|first|ok|okay|hey|hi|hello|bosun|robot|so|well|lets|um|uh|me|too"
        r"|also|again|carefully|gently|slowly|quickly|as well|goes|belongs|should go|must go|up"
        r"|(?:straight|back|over|right)(?= (?:in|into|inside|on|onto|to)(?!\S))",
    ),
    (DOWN, r"down"),
    (f"{TO} there", r"(?:over |in |on )?there"),
    (FROM, r"from|out of|off of|off"),
    (TO, r"in to|on to|into|onto|to|towards?"),
    (AT, r"on top of|inside of|inside|within|in|on|upon|at"),
    (THEN, r"(?:after|following) that|afterwards|then|next|finally|followed by|[;.!?:]"),
    (f"{ALL} {OTHER}", r"(?:the )?rest of the"),
    (f"{ALL} {OTHER} thing", r"everything else|(?:all )?(?:the )?(?:others|rest)(?: of them)?"),
    (f"{ALL} thing", r"everything"),
    ("them", r"(?:them|these|those) all|(?:all|each) of (?:them|these|those)"),
    (ALL, r"all(?: of)?|every(?: single)?|each(?: of)?"),
    (OTHER, r"other|remaining|another"),
    (r"\1", rf"({'|'.join(NUMBERS)}) of"),
)
"""Marker -> pattern, in the order of application; an earlier rule hides words from later ones."""

_COMPILED = tuple(
    (re.compile(rf"(?<!\S)(?:{pattern})(?!\S)"), marker) for marker, pattern in _RULES
)
_ZONE = re.compile(
    rf"(?<!\S)({'|'.join(_PLACES)})(?: hand)?(?: (?:side|zone|area|part|half|end))?"
    r"(?: of the (?:table|workspace))?(?!\S)"
)


def tokenise(command: str) -> list[str]:
    """Return a command as markers and describing words."""
    text = re.sub(r"['’]", "", command.lower())  # noqa: RUF001 - speech and phones write it curled.
    text = re.sub(r"([,;.!?:])", r" \1 ", text.replace("&", " and ").replace("-", " "))
    text = " ".join(text.split())
    for pattern, marker in _COMPILED:
        text = " ".join(pattern.sub(marker, text).split())
    text = _ZONE.sub(lambda found: f"{_PLACES[found[1]]} zone", text)
    return text.split()
