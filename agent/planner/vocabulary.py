"""The words of commands, and what each of them can be.

A phrase has senses, category -> value: "open" is a verb and a state, "on" a preposition, a state
and a particle. The grammar decides by what it expects; the longest phrase known is one token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

VERBS: Mapping[str, str] = {
    "pick": "pick up|pick|lift up|lift|take up|take|grab|grasp|fetch|hold|raise|collect|gather|get"
    "|take hold of|get hold of|grab hold of|reach for",
    "give": "give",
    "put": "put|place|bring|set|lay|transfer|carry|deposit|stow|insert|send|deliver|relocate"
    "|position|load|pop|stick|return",
    "move": "move|shift",
    "drop": "drop",
    "put down": "put down|set down|lay down|place down",
    "release": "release|let go of|let go|open the gripper|open your gripper|open gripper"
    "|open your hand|open the hand|open the fingers|open your fingers",
    "let": "let",
    "remove": "remove|take away|take off",
    "push": "push|slide|nudge|shove|scoot|poke",
    "pull": "pull|pull on|drag|tug|draw",
    "open": "open|pull open|open up|pull out|slide open|draw open|draw out",
    "close": "close|shut|push shut|push closed|slide shut|close up",
    "press": "press|press down|press down on|push down on|push down|push on|hit|tap|tap on"
    "|click|click on|toggle|press on",
    "on": "turn on|switch on|light|light up",
    "off": "turn off|switch off",
    "turn": "turn|switch",
    "stack": "stack up|stack|pile up|pile|build a tower of|build a tower from|build a tower with"
    "|build a tower out of|make a tower of|make a tower from|make a tower with"
    "|make a tower out of|build a stack of|make a stack of|build a tower using|build a tower"
    "|make a tower|build a stack|make a stack",
    "swap": "swap|exchange|switch around|swap around|trade",
    "empty": "empty out|empty|unload|clear out",
    "clear": "clear|clear off",
    "tidy": "tidy up|tidy|clean up|clear up|clean|put away",
    "touch": "touch|disturb",
    "ensure": "make sure that|make sure|ensure that|ensure|see to it that|check that|leave|keep",
    "home": "go home|return home|move home|come home|go back home|go to home|home"
    "|go to the home position|return to the home position|go to your home position"
    "|go back to the home position|move to the home position|return to home|go back to home",
    "look": "look|look again|look around|take a look|have a look|take another look"
    "|have another look|look at the table|look at the scene|look again from home",
    "wait": "wait|wait a moment|wait a bit|wait a second|wait here|wait for a moment|hold on"
    "|wait for a second|wait for a bit|wait a while|wait for a while|hold still|pause",
}
"""Verb -> the phrases that say it."""

_DOUBLED = ("put", "get", "set", "drop", "grab", "shut", "let", "swap", "tap", "hit", "pop", "tug")

_COLOURS = "red|green|blue|yellow|white|black|orange|purple|violet|pink|brown|grey|gray|cyan"
_NOUNS = {
    "block": "block|cube|brick",
    "can": "can|tin|soda can|cola can|coke can|tin can",
    "bowl": "bowl|basin",
    "plate": "plate|dish|saucer",
    "drawer": "drawer|tray",
    "button": "button",
    "lamp": "lamp|light|lamp of the button",
    "zone": "zone|area",
    "table": "table|tabletop|table top|workspace",
    "hand": "hand|gripper",
    "": "one|thing|object|item|stuff",
}
_SIDES = {
    "left": "left|far left|very left",
    "right": "right|far right|very right",
    "front": "front",
    "back": "back|rear",
    "centre": "middle|centre|center",
}
_DIRECTIONS = {
    "left": "left|leftwards|leftward",
    "right": "right|rightwards|rightward",
    "forward": "forward|forwards|ahead|away|away from you|away from the robot|front|further away"
    "|away from me",
    "back": "back|backward|backwards|towards you|toward you|towards the robot|towards me|closer"
    "|towards yourself|toward me|closer to you|toward the robot",
}
_PREPOSITIONS = {
    "in": "in|inside|within|inside of",
    "on": "on|on top of|upon|over|atop",
    "at": "at",
    "to": "to|towards|toward|over to",
    "into": "into|in to",
    "onto": "onto|on to",
    "from": "from|out of|off of|off|away from|from inside|out from|from on|from the top of",
    "under": "under|below|underneath|beneath",
    "outside": "outside|outside of",
    "near": "next to|near|close to|beside|by|alongside|near to|right next to",
    "between": "between|in between",
    "nearest": "nearest|nearest to|closest to|closest|that is closest to|that is nearest to",
    "farthest": "farthest from|furthest from|farthest away from|furthest away from"
    "|most distant from",
    "held": "you are holding|you hold|youre holding|you have in your hand|in your hand|in the hand"
    "|in your gripper|in the gripper|that you hold|that you are holding|which you are holding",
}
_RELATIVE_SIDES = {
    "left of": "left of|to the left of|on the left of|on the left side of|at the left of"
    "|left from|to the left side of",
    "right of": "right of|to the right of|on the right of|on the right side of|at the right of"
    "|right from|to the right side of",
    "behind": "behind|in back of|at the back of",
    "in front of": "in front of|before the front of",
}
_SUPERLATIVES = {
    "left": "leftmost|furthest left|farthest left|furthest to the left|farthest to the left"
    "|most to the left",
    "right": "rightmost|furthest right|farthest right|furthest to the right"
    "|farthest to the right|most to the right",
    "nearest": "nearest|closest|nearest to you|closest to you|nearest to the robot"
    "|closest to the robot",
    "farthest": "farthest|furthest|farthest away|furthest away|most distant|farthest from you"
    "|furthest from you|furthest from the robot|farthest from the robot",
}
_STATES = {
    "open": "open|opened|pulled out|pulled open",
    "closed": "closed|shut|pushed in|pushed shut",
    "lit": "on|lit|turned on|switched on|glowing|shining",
    "unlit": "off|unlit|turned off|switched off|dark",
    "empty": "empty|free|vacant",
    "full": "full",
}
_GRAMMAR: Mapping[str, Mapping[str, str]] = {
    "det": {"the": "the|my|your", "a": "a|an|some", "this": "this|that|these|those"},
    "pronoun": {
        "it": "it|that|this|that one|this one|itself",
        "them": "them|they|these|those|both of them|all of them|each of them|them all|them both"
        "|these all|those all|all of these|all of those",
        "there": "there|over there|in there|on there",
        "held": "what you are holding|what you hold|whatever you are holding"
        "|whatever you hold|what is in your hand|what is in the hand|whats in your hand",
        "each other": "each other|one another",
    },
    "quantity": {
        "all": "all|every|each|all of|each of|every single|every one of|all the",
        "any": "any|any of|either|either of|any one of",
        "both": "both|both of",
        "no": "no|none of",
    },
    "whole": {
        "everything": "everything|all things|all objects|anything that is|whatever is|what is"
        "|all that is",
        "rest": "everything else|the rest|the others|the other ones|all others|all the others"
        "|all the rest|the remaining ones|the rest of them|all other things",
        "rest of": "the rest of the|the rest of|the remaining|all the other|all other"
        "|all the remaining",
        "something": "something|anything",
        "nothing": "nothing",
    },
    "number": {"1": "one", "2": "two|2", "3": "three|3", "4": "four|4", "5": "five|5"},
    "of": {"": "of"},
    "size": {"": "little|small|tiny"},
    "other": {"other": "other|remaining|another"},
    "times": {"2": "twice|two times", "3": "three times|thrice", "1": "once"},
    "amount": {"": "a bit|a little|a little bit|slightly|a tad|some way"},
    "particle": {
        "up": "up",
        "down": "down",
        "out": "out",
        "away": "away",
        "back": "back",
        "go": "go",
        "around": "around",
    },
    "join": {
        "and": "and|and also|as well as|along with|plus|and then also|with",
        "comma": ",|:",
        "then": "then|next|after that|afterwards|following that|finally|followed by|lastly|;"
        "|at the end|in the end|later",
        "stop": ".|!|?",
        "but": "but|yet",
    },
    "or": {"or": "or|or else|or rather"},
    "order": {
        "before": "before",
        "after": "after|once",
        "earlier": "but first|before that|but before that|but first of all|and before that"
        "|beforehand",
        "first": "first|first of all|to start with",
    },
    "if": {"if": "if|in case|provided that|provided|only if", "unless": "unless"},
    "else": {"else": "otherwise|else|if not|or otherwise"},
    "not": {"not": "not|dont|do not|never|cannot|cant|without|isnt|arent|is not|are not"},
    "except": {
        "except": "except|except for|apart from|other than|but not|besides|excluding"
        "|with the exception of|save for|and not|not counting|aside from|leaving out"
    },
    "correct": {
        "correct": "no|no wait|wait no|no sorry|sorry|actually|rather|make that|i mean|i meant"
        "|no i mean|no i meant|oops|correction|wait i mean|sorry i mean|sorry i meant|no actually"
        "|hang on|no no|wait actually|or rather|instead"
    },
    "cancel": {
        "cancel": "never mind|nevermind|forget it|forget that|scratch that|cancel that"
        "|no forget that|no never mind"
    },
    "be": {"be": "is|are|be|stands|stand|lies|lie|sits|sit|was|has been"},
    "carry": {"carry": "contains|has|holds|carries"},
    "there be": {"there be": "there is|there are|theres|you see|you can see"},
    "relative": {
        "that": "that is|that are|which is|which are|thats|that stands|that stand|that lies"
        "|that lie|that sits|that sit|standing|lying|sitting|placed|located|still|resting"
        "|that is still|that are still|currently|that was|which stands|which lies"
    },
    "skip": {
        "": "please|kindly|just|now|ok|okay|hey|hi|hello|bosun|robot|so|well|lets|um|uh|er|too"
        "|also|again|carefully|gently|slowly|quickly|as well|goes|belongs|should go|must go"
        "|straight|all the way|along|can you|could you|would you|will you|can you please"
        "|could you please|would you please|i want you to|i want"
        "|i would like|id like|if you can|if you could|if possible"
        "|i need you to|id like you to"
        "|i would like you to|for me|thank you|thanks|right now|right away|you|already"
        "|me|right back|together|immediately|should be"
    },
    "unsupported": {
        "": "until|till|while|when|whenever|nor|above|against|every time|as soon as|instead of"
        "|forever|always|repeat|loop|sideways|why|how|who|where"
    },
}
"""Category -> value -> phrases; what changes a meaning and is not understood is `unsupported`."""


def _side_phrases() -> Iterator[tuple[str, str, str]]:
    """Yield category, value and phrase of the places of the table."""
    for side, words in _SIDES.items():
        for word in words.split("|"):
            for bare in (word, f"{word} side", f"{word} hand side", f"{word} hand"):
                yield "side", side, bare
            for noun in ("side", "zone", "area", "part", "half", "end", "hand side", ""):
                stem = f"{word} {noun}".strip()
                if noun in ("zone", "area", "part", "half"):
                    yield "zone", f"{side} zone", stem
                for table in ("table", "workspace"):
                    yield "zone", f"{side} zone", f"{stem} of the {table}"


def _gerund(phrase: str) -> str:
    """Return a verb's phrase as in "after putting"."""
    verb, _, rest = phrase.partition(" ")
    if verb in _DOUBLED:
        verb += verb[-1]
    elif verb.endswith("e") and not verb.endswith("ee"):
        verb = verb[:-1]
    return f"{verb}ing {rest}".strip()


def _entries() -> Iterator[tuple[str, str, str]]:
    """Yield category, value and phrase of everything that can be said."""
    for verb, phrases in VERBS.items():
        for phrase in phrases.split("|"):
            yield "verb", verb, phrase
            yield "verb", verb, _gerund(phrase)
    for noun, words in _NOUNS.items():
        for word in words.split("|"):
            yield "noun", noun, word
            yield "plural", noun, word + ("es" if word.endswith("sh") else "s")
    tables: Mapping[str, Mapping[str, str]] = {
        "colour": {word: word for word in _COLOURS.split("|")},
        "direction": _DIRECTIONS,
        "preposition": {**_PREPOSITIONS, **_RELATIVE_SIDES},
        "superlative": _SUPERLATIVES,
        "state": _STATES,
        **_GRAMMAR,
    }
    for category, values in tables.items():
        for value, words in values.items():
            for phrase in words.split("|"):
                yield category, value, phrase
    yield from _side_phrases()


def _lexicon() -> dict[tuple[str, ...], dict[str, str]]:
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for category, value, phrase in _entries():
        found.setdefault(tuple(phrase.split()), {}).setdefault(category, value)
    return found


LEXICON: Mapping[tuple[str, ...], Mapping[str, str]] = _lexicon()
"""Words of a phrase -> category -> value."""
LONGEST = max(map(len, LEXICON))
COLOURS = frozenset(_COLOURS.split("|"))
EXAMPLE = "put the red block in the blue bowl"
"""What a question offers as a command that is understood."""
