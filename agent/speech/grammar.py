"""What people may say about a scene, from the skill contracts and what is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from agent.speech.network import Again, Expression, Network, chain, choice, maybe
from agent.types import Scene, SkillContract
from agent.workspace import BLOCK, BOWL, BUTTON, DRAWER, MOVABLE, PLATE, ZONE, ZONES

_SLOT = re.compile(r"(?:\bthe )?\{(\w+)\}")
_POLITE = re.compile(r"^(please|can you|could you) ")
_RELATIONS = (
    "left of", "to the left of", "right of", "to the right of", "behind", "in front of",
    "next to", "near", "nearest to", "closest to",
)
_SUPERLATIVES = ("leftmost", "rightmost", "nearest", "closest", "farthest")
_CORRECTIONS = (
    (3.0, "no"), (1.0, "no wait"), (1.0, "i mean"), (0.5, "sorry"), (0.5, "actually"),
    (0.5, "no i mean"),
)


class CommandGrammar:
    """Builds the network of a scene; only what is there can be named."""

    def __init__(self, contracts: Mapping[str, SkillContract]) -> None:
        self._contracts = contracts

    def network(self, scene: Scene) -> Network:
        return Network.of(_Sentences(self._contracts, scene).all())


class _Sentences:
    def __init__(self, contracts: Mapping[str, SkillContract], scene: Scene) -> None:
        self._contracts = contracts
        self._kinds = {o.name: o.kind for o in scene.objects.values()}

    def all(self) -> Expression:
        act = self._act()
        state = self._state()
        opener = choice((6, ""), "please", "can you", "could you", "first", "now", "okay")
        iff = chain(choice((4, "if"), "unless"), state, maybe("then", 0.1))
        before = choice((7, ""), "before you", "after you")
        join = choice(
            (4, "and"), (4, "then"), (4, "and then"), (0.7, "and finally"), (0.3, "after that"),
            (0.7, "before you"), (0.7, "after you"), (0.3, "otherwise"), (0.7, ""),
        )
        command = chain(
            opener, before, maybe(iff, 0.1), act,
            Again(chain(join, maybe(iff, 0.05), act), 0.45),
            choice((12, ""), "please", "instead", (0.5, "again")),
        )
        control = choice(
            (2, "yes"), (2, "no"), "yes please", "no thanks", "go ahead", (2, "stop"), "pause", "continue",
            "carry on", "cancel", "go home", "wait", "never mind", "what are you doing",
            "faster is fine",
        )
        mending = chain(
            choice(*_CORRECTIONS),
            choice(self._thing(), self._place()),
            maybe("instead", 0.1),
        )
        return choice((8, command), (1, control), (1, mending))

    def _named(self, *kinds: str) -> list[str]:
        return [n for n, k in self._kinds.items() if k in kinds]

    def _simple(self, kinds: Sequence[str]) -> Expression:
        """the red block, the red one, the can"""
        names = self._named(*kinds)
        colours = {n.split()[0] for n in names if " " in n}
        bare = {k for n in names for k in [self._kinds[n]] if " " in n}
        options: list = [(4.0, n) for n in names]
        options += [(0.7, f"{c} one") for c in sorted(colours)]
        options += [(0.2, k) for k in sorted(bare)]
        if not options:
            return "thing"
        return chain(choice((20, "the"), "a"), choice(*options))

    def _thing(self) -> Expression:
        simple = self._simple(MOVABLE)
        anchor = self._simple(tuple(dict.fromkeys(self._kinds.values())))
        head = chain("the", choice((4, "block"), "one", (0.5, "can"), (0.5, "thing")))
        related = chain(head, choice(*_RELATIONS, "in", "on", "from"), anchor)
        superlative = chain("the", choice(*_SUPERLATIVES), choice((4, "block"), "one"), maybe("in", .0001))
        every = chain(
            choice((3, "all blocks"), (2, "all the blocks"), (3, "every block"), "each block", "both blocks",
                   (2, "the blocks"), (2, "everything"), "all of them"),
            maybe(chain(choice(*"except|but|except for".split("|")), simple), 0.3),
        )
        single = chain(simple, maybe(chain(choice(*_CORRECTIONS), simple), 0.08))
        listed = chain(single, Again(chain("and", simple), 0.15))
        return choice((20, listed), (3, related), (2, superlative), (4, every), (3, "it"), (1, "them"), (.5, "the other one"),(.5, "the other block"))

    def _place(self) -> Expression:
        once = self._place_once()
        return chain(once, maybe(chain(choice(*_CORRECTIONS), once), 0.05))

    def _place_once(self) -> Expression:
        options: list = []
        ins = choice((5, "in"), (3, "into"), (1.5, "inside"), (1, "to"), (.5, "down in"))
        ons = choice((5, "on"), (3, "onto"), (1, "on top of"), (1.5, "to"), (.7, "down on"),(.3,"at"))
        if self._named(BOWL, DRAWER):
            options.append((4, chain(ins, choice((8, self._simple((BOWL, DRAWER))), (1, "it"), (0.3, "the other bowl")))))
        if self._named(PLATE, BLOCK):
            options.append((4, chain(ons, choice((8, self._simple((PLATE, BLOCK))), (.7, "it"), (.3, "the table")))))
        sides = choice(*[
            chain(side, choice((4, ""), (2, "side"), (1, "zone"))) for side in ("left", "right", "front", "back", "middle", "centre")
        ])
        options.append((4, chain(choice((4, "on"), (2, "at"), (2, "to"), (2, "in")), "the", sides)))
        options.append((.5, choice("there", "inside")))
        return choice(*options)

    def _act(self) -> Expression:
        options: list = []
        places: set[str] = set()
        for name, c in self._contracts.items():
            slots = tuple(c.args)
            if not slots:
                options.append((.5, choice(*c.phrases)))
            elif slots == ("object", "target"):
                for p in c.phrases:
                    places.add(_prefix(p))
            elif slots == ("object", "direction"):
                pre = {_prefix(p) for p in c.phrases}
                mid = {_middle(p) for p in c.phrases}
                options.append((2, chain(choice(*sorted(pre)), self._thing(), choice(*[(4 if not m else 1, m) for m in sorted(mid)]),
                                         choice("left", "right", "forward", "back"))))
            elif set(c.args["object"].kinds) & set(MOVABLE):
                pre = sorted({_prefix(p) for p in c.phrases})
                suf = sorted({_SLOT.split(p)[-1].strip() for p in c.phrases} - {""})
                options.append((3, chain(choice(*pre), self._thing(), choice((10, ""), *suf))))
            else:
                names = self._named(*c.args["object"].kinds)
                if names:
                    ph = sorted({_POLITE.sub("", p) for p in c.phrases})
                    options.append((2, choice(*[_SLOT.sub(lambda m: "the " + n, p) for p in ph for n in names],
                                              *[_SLOT.sub("it", p) for p in ph])))
        places = {p for p in places}
        options.append((8, chain(choice(*[(6 if p == "put" else 1.0, p) for p in sorted(places)]), self._thing(), self._place())))
        if self._named(BUTTON):
            lamp = choice((3, "the lamp"), (1, "the light"), (2, "it"))
            options.append((2, choice(
                (2, chain(choice("turn", "switch"), choice("on", "off"), lamp)),
                chain(choice("turn", "switch"), lamp, choice("on", "off")),
            )))
        return choice(*options)

    def _state(self) -> Expression:
        options: list = []
        if self._named(DRAWER):
            options.append((3, chain("the drawer is", choice("open", "closed", "shut"))))
        if self._named(BUTTON):
            options.append((3, chain("the lamp is", choice("on", "off"))))
        anything = self._simple(tuple(dict.fromkeys(self._kinds.values())))
        options.append((1, chain("there is", anything)))
        options.append((1, chain(self._simple(MOVABLE), "is", maybe("not", .1), self._place_once())))
        return choice(*options)


def _prefix(phrase: str) -> str:
    return _POLITE.sub("", _SLOT.split(phrase)[0].strip() )


def _middle(phrase: str) -> str:
    return _SLOT.split(phrase)[2].strip()
