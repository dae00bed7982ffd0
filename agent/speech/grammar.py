"""What people may say about a scene, from the skill contracts and what is there.

It is wider than what makes sense: whoever hears a sentence gives it to the planner, which knows.
The weights say how usual a way to speak is among those that could be chosen instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.speech.network import Again, Expression, Network, chain, choice, maybe
from agent.types import Scene, SkillContract
from agent.workspace import BLOCK, BOWL, BUTTON, DIRECTIONS, DRAWER, MOVABLE, PLATE

_SLOT = re.compile(r"(?:\bthe )?\{\w+\}")
_POLITE = re.compile(r"^(please|can you|could you) ")
_NAMED, _PLACED = ("object",), ("object", "target")
_OPENERS = choice((8.0, ""), "please", "can you", "first")
_CORRECTIONS = choice((3.0, "no"), "no wait", "i mean", (0.5, "sorry"), (0.5, "actually"))
_RELATIONS = choice(
    "left of",
    "right of",
    "behind",
    "in front of",
    "next to",
    "near",
    "nearest to",
    "closest to",
    "in",
    "on",
)
_SUPERLATIVES = choice("leftmost", "rightmost", "nearest", "closest", "farthest")
_JOINTS = choice(
    (4.0, "and"),
    (4.0, "then"),
    (4.0, "and then"),
    (0.7, "and finally"),
    (0.3, "after that"),
    (0.7, "before you"),
    (0.7, "after you"),
    (0.3, "otherwise"),
    (0.7, ""),
)
_SIDES = chain(
    choice((4.0, "on"), (2.0, "at"), (2.0, "to"), "in"),
    "the",
    choice("left", "right", "front", "back", "middle", "centre"),
    choice((4.0, ""), (2.0, "side"), (0.5, "zone")),
)
_CONTROLS = choice(
    (2.0, "yes"),
    (2.0, "no"),
    "yes please",
    "go ahead",
    (2.0, "stop"),
    "pause",
    "continue",
    "cancel",
    "go home",
    "never mind",
    "what are you doing",
    "faster is fine",
)


class CommandGrammar:
    """Builds the network of a scene, in which only what is there can be named."""

    def __init__(self, contracts: Mapping[str, SkillContract]) -> None:
        """Take the skills; their phrases say what can be asked for."""
        self._contracts = contracts

    def network(self, scene: Scene) -> Network:
        """Return what may be said about a scene."""
        return Network.of(_Sentences(self._contracts, scene).all())


class _Sentences:
    """Expressions of one scene."""

    def __init__(self, contracts: Mapping[str, SkillContract], scene: Scene) -> None:
        self._contracts = contracts
        self._kinds = {o.name: o.kind for o in scene.objects.values()}
        self._described = {
            kinds: self._description(kinds)
            for kinds in (MOVABLE, (BOWL, DRAWER), (PLATE, BLOCK), tuple(self._kinds.values()))
        }

    def all(self) -> Expression:
        """Return commands, controls and answers, and corrections of what was said before."""
        act = self._act()
        condition = chain(choice((4.0, "if"), "unless"), self._state())
        command = chain(
            _OPENERS,
            choice((7.0, ""), "before you", "after you"),
            maybe(condition, 0.1),
            act,
            Again(chain(_JOINTS, maybe(condition, 0.05), act), 0.45),
            choice((12.0, ""), "please", "instead", (0.5, "again")),
        )
        mending = chain(_CORRECTIONS, choice(self._thing(), self._place()))
        return choice((8.0, command), _CONTROLS, mending)

    def _names(self, *kinds: str) -> list[str]:
        return [name for name, kind in self._kinds.items() if kind in kinds]

    def _description(self, kinds: tuple[str, ...]) -> Expression | None:
        """Return "the red block", "the red one" and "the can"; None where there is none."""
        names = self._names(*kinds)
        coloured = [name for name in names if " " in name]
        options: list[tuple[float, Expression]] = [(4.0, name) for name in names]
        options += [(0.7, f"{c} one") for c in sorted({n.split()[0] for n in coloured})]
        options += [(0.2, kind) for kind in sorted({self._kinds[n] for n in coloured})]
        return chain("the", choice(*options)) if options else None

    def _thing(self) -> Expression:
        """Return what can be handled: one thing, a list, several at once, or a pronoun."""
        pronouns: list[tuple[float, Expression]] = [(3.0, "it"), (1.0, "them")]
        simple = self._described[MOVABLE]
        anchor = self._described[tuple(self._kinds.values())]
        if simple is None or anchor is None:
            return choice(*pronouns)
        mended = chain(simple, maybe(chain(_CORRECTIONS, simple), 0.08))
        every = chain(
            choice(
                (3.0, "all blocks"),
                (2.0, "all the blocks"),
                (3.0, "every block"),
                "both blocks",
                (2.0, "the blocks"),
                (2.0, "everything"),
            ),
            maybe(chain(choice("except", "but"), simple), 0.3),
        )
        one = choice((4.0, "block"), "one")
        return choice(
            (20.0, chain(mended, Again(chain("and", simple), 0.15))),
            (3.0, chain("the", one, _RELATIONS, anchor)),
            (2.0, chain("the", _SUPERLATIVES, one)),
            (4.0, every),
            (0.5, "the other one"),
            *pronouns,
        )

    def _place(self) -> Expression:
        """Return where something can be put, or was to be put and is not."""
        once = self._place_once()
        return chain(once, maybe(chain(_CORRECTIONS, once), 0.05))

    def _place_once(self) -> Expression:
        options: list[tuple[float, Expression]] = [(4.0, _SIDES), (0.3, "there"), (0.3, "inside")]
        if (inside := self._described[BOWL, DRAWER]) is not None:
            into = choice((5.0, "in"), (3.0, "into"), (1.5, "inside"), "to")
            options.append((4.0, chain(into, choice((8.0, inside), "it"))))
        if (top := self._described[PLATE, BLOCK]) is not None:
            onto = choice((5.0, "on"), (3.0, "onto"), "on top of", (1.5, "to"))
            options.append((4.0, chain(onto, choice((8.0, top), "it"))))
        return choice(*options)

    def _act(self) -> Expression:
        """Return what can be done, each skill by the phrases of its contract."""
        options: list[tuple[float, Expression]] = []
        placing = set[str]()
        for contract in self._contracts.values():
            phrases = [_POLITE.sub("", phrase) for phrase in contract.phrases]
            openings = sorted({_SLOT.split(phrase)[0].strip() for phrase in phrases})
            endings = sorted({_SLOT.split(phrase)[-1].strip() for phrase in phrases})
            slots = tuple(contract.args)
            if slots == _PLACED:
                placing.update(openings)
            elif not slots:
                options.append((0.5, choice(*phrases)))
            elif slots != _NAMED:
                middles = sorted({_SLOT.split(phrase)[1].strip() for phrase in phrases})
                verb, way = choice(*openings), choice(*DIRECTIONS)
                options.append((2.0, chain(verb, self._thing(), choice(*middles), way)))
            elif set(contract.args["object"].kinds) & set(MOVABLE):
                options.append((3.0, chain(choice(*openings), self._thing(), choice(*endings))))
            elif names := self._names(*contract.args["object"].kinds):
                said = {_SLOT.sub(f"the {name}", p) for p in phrases for name in names}
                said |= {_SLOT.sub("it", p) for p in phrases}
                options.append((2.0, choice(*sorted(said))))
        if placing:
            verb = choice(*((6.0 if verb == "put" else 1.0, verb) for verb in sorted(placing)))
            options.append((8.0, chain(verb, self._thing(), self._place())))
        if self._names(BUTTON):
            options.append((2.0, _switching()))
        return choice(*options)

    def _state(self) -> Expression:
        """Return what a command may depend on."""
        options: list[tuple[float, Expression]] = [(1.0, "it is empty")]
        if self._names(DRAWER):
            options.append((3.0, chain("the drawer is", choice("open", "closed", "shut"))))
        if self._names(BUTTON):
            options.append((3.0, chain("the lamp is", choice("on", "off"))))
        if (simple := self._described[MOVABLE]) is not None:
            options.append((1.0, chain(simple, "is", self._place_once())))
        return choice(*options)


def _switching() -> Expression:
    """Return "turn on the lamp" and "turn it off"."""
    turn, way = choice("turn", "switch"), choice("on", "off")
    lamp = choice((3.0, "the lamp"), "the light", (2.0, "it"))
    return choice((2.0, chain(turn, way, lamp)), chain(turn, lamp, way))
