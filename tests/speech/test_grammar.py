"""What may be said about a scene: only what is there, and what the planner can read."""

from __future__ import annotations

import numpy as np
import pytest

from agent.planner.grammar import GrammarPlanner
from agent.speech.grammar import CommandGrammar
from agent.speech.network import Again, Network, chain, choice, maybe
from agent.speech.trigram import arpa
from skills.registry import load_contracts
from tests.scenes import scene

CONTRACTS = load_contracts()
WHERE = scene("red block", "green block", "can", "blue bowl", "plate", "drawer", "button")


def says(network: Network, sentence: str) -> bool:
    """Return whether a network can say a sentence."""
    states = {0}
    for word in sentence.split():
        states = {end for start, end, _, its in network.arcs if start in states and its == word}
    last = {start for start, end, _, word in network.arcs if end == network.final and not word}
    return bool(states & last)


@pytest.mark.parametrize(
    "sentence",
    [
        "put the red block in the blue bowl",
        "stack the red block on the green block then put the green one on the plate",
        "move the can to the left side and close the drawer",
        "put all blocks except the red one in the drawer",
        "if the drawer is open close it",
        "put the red block no the green block on the plate",
        "no the green one",
        "put it on the plate instead",
        "turn the lamp on",
        "could you slide the can to the right",
        "put the green cube on the plate and the can in the drawer",
        "take the can out of the drawer",
        "swap the red block and the green block",
        "put it down",
        "the green one",
        "on the plate",
        "the left side",
        "what are you doing",
        "yes",
    ],
)
def test_people_may_say(sentence: str) -> None:
    assert says(CommandGrammar(CONTRACTS).network(WHERE), sentence)


def test_only_what_is_there_is_named() -> None:
    words = CommandGrammar(CONTRACTS).network(scene("red block", "plate")).words
    assert {"red", "plate"} <= words
    assert not words & {"green", "blue", "bowl", "drawer", "button", "lamp"}


def test_an_empty_scene_leaves_the_rest() -> None:
    network = CommandGrammar(CONTRACTS).network(scene("plate"))
    assert says(network, "go home")


def test_no_silent_transition_follows_another() -> None:
    """The decoder follows one only; and what leaves a state is a distribution."""
    network = CommandGrammar(CONTRACTS).network(WHERE)
    assert all(word or end == network.final for _, end, _, word in network.arcs)
    leaving: dict[int, float] = {}
    for start, _, probability, _ in network.arcs:
        leaving[start] = leaving.get(start, 0.0) + probability
    assert network.final not in leaving
    assert list(leaving.values()) == pytest.approx([1.0] * len(leaving), abs=1e-6)


def test_the_planner_can_read_it() -> None:
    """Samples hold no word that the planner does not know, controls and answers aside."""
    network = CommandGrammar(CONTRACTS).network(WHERE)
    planner, planned = GrammarPlanner(), 0
    sentences = network.samples(np.random.default_rng(0), 200)
    for sentence in sentences:
        planned += planner.plan(sentence, WHERE, CONTRACTS, ()).question is None
    assert planned > len(sentences) / 4


def test_samples_repeat_and_are_sentences() -> None:
    network = Network.of(chain("a", maybe("b", 0.5), Again(choice("c", (3.0, "d e")), 0.5)))
    first, again = (network.samples(np.random.default_rng(3), 50) for _ in range(2))
    assert first == again
    assert all(says(network, sentence) for sentence in first)
    assert len(set(first)) > 5


def test_the_trigram_is_a_distribution() -> None:
    """After every word that was followed by something, probabilities seen leave some for others."""
    lines = arpa(["put it down", "put it there", "put them down"]).splitlines()
    at = [lines.index(f"\\{order}-grams:") for order in (1, 2, 3)]
    unigrams = [line.split() for line in lines[at[0] + 1 : at[1]] if line]
    assert sum(10 ** float(p) for p, *_ in unigrams) == pytest.approx(1.0, abs=1e-3)
    bigrams = [line.split() for line in lines[at[1] + 1 : at[2]] if line]
    after_put = sum(10 ** float(p) for p, first, *_ in bigrams if first == "put")
    assert 0.5 < after_put < 1.0
