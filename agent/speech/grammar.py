"""What people may say about a scene, from the skill contracts and what is there.

It is wider than what makes sense: whoever hears a sentence gives it to the planner, which knows.
The weights say how usual a way to speak is among those that could be chosen instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.speech.network import Again, Expression, Network, chain, choice, maybe
from agent.types import Scene, SkillContract
from agent.workspace import BLOCK, BOWL, BUTTON, CAN, DIRECTIONS, DRAWER, MOVABLE, PLATE

_SLOT = re.compile(r"(?:\bthe )?\{\w+\}")
_BRACES = re.compile(r"\{\w+\}")
_POLITE = re.compile(r"^(please|can you|could you) ")
_NAMED, _PLACED = ("object",), ("object", "target")
_ALSO_CALLED = {BLOCK: "cube", CAN: "tin", PLATE: "dish"}
_CONTAINERS = (BOWL, DRAWER)
_SUPPORTS = (PLATE, BLOCK)
_EMPTIED = (BOWL, DRAWER, PLATE)
_OPENERS = choice((8.0, ""), "please", "can you", "first", (0.5, "could you"), (0.3, "now"))
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
_SIDE = chain(
    "the",
    choice("left", "right", "front", "back", "middle", "centre"),
    choice((4.0, ""), (2.0, "side"), (0.5, "zone")),
)
_SIDES = chain(choice((4.0, "on"), (2.0, "at"), (2.0, "to"), "in"), _SIDE)
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
    choice("hold on", "go on", "carry on", "keep going"),
    choice("do it", "okay", "no thanks", "leave it"),
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
            for kinds in (MOVABLE, _CONTAINERS, _SUPPORTS, _EMPTIED, tuple(self._kinds.values()))
        }

    def all(self) -> Expression:
        """Return commands, controls, corrections of what was said before, and answers."""
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
        named = choice(self._thing(), self._place(), (0.3, _SIDE))
        return choice((8.0, command), _CONTROLS, chain(_CORRECTIONS, named), (0.7, named))

    def _names(self, *kinds: str) -> list[str]:
        return [name for name, kind in self._kinds.items() if kind in kinds]

    def _description(self, kinds: tuple[str, ...]) -> Expression | None:
        """Return "the red block", "the red one" and "the can"; None where there is none."""
        names = self._names(*kinds)
        coloured = [name for name in names if " " in name]
        options: list[tuple[float, Expression]] = [(4.0, name) for name in names]
        options += [(0.7, f"{c} one") for c in sorted({n.split()[0] for n in coloured})]
        options += [(0.2, kind) for kind in sorted({self._kinds[n] for n in coloured})]
        called = {n: _ALSO_CALLED[kind] for n in names if (kind := self._kinds[n]) in _ALSO_CALLED}
        options += [(0.2, n.replace(self._kinds[n], other)) for n, other in called.items()]
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
            (0.5, choice("the other one", "the other block", "the other blocks", "the rest")),
            *pronouns,
        )

    def _place(self) -> Expression:
        """Return where something can be put, or was to be put and is not."""
        once = self._place_once()
        return chain(once, maybe(chain(_CORRECTIONS, once), 0.05))

    def _place_once(self) -> Expression:
        options: list[tuple[float, Expression]] = [(4.0, _SIDES), (0.3, "there"), (0.3, "inside")]
        if (inside := self._described[_CONTAINERS]) is not None:
            into = choice((5.0, "in"), (3.0, "into"), (1.5, "inside"), "to")
            options.append((4.0, chain(into, choice((8.0, inside), "it"))))
        if (top := self._described[_SUPPORTS]) is not None:
            onto = choice((5.0, "on"), (3.0, "onto"), "on top of", (1.5, "to"))
            options.append((4.0, chain(onto, choice((8.0, top), "it"))))
        if (anchor := self._described[tuple(self._kinds.values())]) is not None:
            options.append((0.3, chain(choice("next to", "behind", "in front of"), anchor)))
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
                middles = sorted({_BRACES.split(phrase)[1].strip() for phrase in phrases})
                way = chain(choice(*middles), choice(*DIRECTIONS))
                options.append((2.0, chain(choice(*openings), _repeated(self._thing(), way))))
            elif set(contract.args["object"].kinds) & set(MOVABLE):
                options.append((3.0, chain(choice(*openings), self._thing(), choice(*endings))))
            elif names := self._names(*contract.args["object"].kinds):
                said = {_SLOT.sub(f"the {name}", p) for p in phrases for name in names}
                said |= {_SLOT.sub("it", p) for p in phrases}
                options.append((2.0, choice(*sorted(said))))
        if placing:
            verb = choice(*((6.0 if verb == "put" else 1.0, verb) for verb in sorted(placing)))
            options.append((8.0, chain(verb, _repeated(self._thing(), self._place()))))
        if self._names(BUTTON):
            options.append((2.0, _switching()))
        options.append((1.0, choice(*self._arranging())))
        return choice(*options)

    def _arranging(self) -> list[Expression]:
        """Return what can be asked for besides the phrases of the contracts."""
        thing = self._thing()
        acts = [chain("put", choice("it down", chain(thing, "away"))), "let go", "wait a moment"]
        acts.append("tidy up")
        if self._names(DRAWER):
            acts.append(chain("leave the drawer", choice("open", "closed")))
        if (emptied := self._described[_EMPTIED]) is not None:
            acts.append(chain("take", thing, choice("out of", "off", "from"), emptied))
            acts.append(chain(choice("empty", "clear"), emptied))
        if (simple := self._described[MOVABLE]) is not None:
            pair = chain(simple, "and", simple)
            acts.append(chain("swap", pair))
            acts.append(chain("stack", choice(pair, "all the blocks", "the blocks")))
            acts.append(chain("build a tower", maybe(chain(choice("of", "with"), pair), 0.6)))
        return acts

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


def _repeated(thing: Expression, where: Expression) -> Expression:
    """Return what is said after a verb, once or again without the verb."""
    once = chain(thing, where)
    return chain(once, Again(chain(choice((4.0, "and"), "then", (2.0, "and then")), once), 0.08))


def _switching() -> Expression:
    """Return "turn on the lamp" and "turn it off"."""
    turn, way = choice("turn", "switch"), choice("on", "off")
    lamp = choice((3.0, "the lamp"), "the light", (2.0, "it"))
    return choice((2.0, chain(turn, way, lamp)), chain(turn, lamp, way))
