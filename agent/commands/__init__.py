"""What each verb of the command line does; heavy parts are imported when a verb runs."""

from agent.commands.episodes import episodes
from agent.commands.evaluate import evaluate
from agent.commands.inspect import doctor, memory, skills
from agent.commands.learn import collect, train
from agent.commands.listen import listen
from agent.commands.mission import mission
from agent.commands.replay import replay
from agent.commands.run import run
from agent.commands.serve import serve

VERBS = {
    "run": run,
    "listen": listen,
    "mission": mission,
    "replay": replay,
    "episodes": episodes,
    "skills": skills,
    "collect": collect,
    "train": train,
    "eval": evaluate,
    "serve": serve,
    "memory": memory,
    "doctor": doctor,
}
"""Verb -> what carries it out, given the parsed arguments; returns the exit code."""
