"""What each verb of the command line does; heavy parts are imported when a verb runs."""

from agent.commands.evaluate import eval
from agent.commands.inspect import doctor, skills
from agent.commands.learn import collect, train
from agent.commands.run import run

__all__ = ["collect", "doctor", "eval", "run", "skills", "train"]
