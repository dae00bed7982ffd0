"""What each verb of the command line does; heavy parts are imported when a verb runs."""

from agent.commands.evaluate import evaluate
from agent.commands.inspect import doctor, memory, replay, skills
from agent.commands.learn import collect, train
from agent.commands.listen import listen
from agent.commands.mission import mission
from agent.commands.run import run

VERBS = {
    "run": run,
    "listen": listen,
    "mission": mission,
    "replay": replay,
    "skills": skills,
    "collect": collect,
    "train": train,
    "eval": evaluate,
    "memory": memory,
    "doctor": doctor,
}
"""Verb -> what carries it out, given the parsed arguments; returns the exit code."""
