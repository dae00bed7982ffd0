"""The sections of a configuration: every setting with its default and unit."""

from agent.sections.limits import BudgetConfig, EpisodeConfig, MemoryConfig, ShieldConfig
from agent.sections.monitor import MonitorConfig, SceneConfig
from agent.sections.planner import PlannerConfig
from agent.sections.policy import PolicyConfig, RealtimeConfig
from agent.sections.robot import DisturbanceConfig, RobotConfig
from agent.sections.section import Section
from agent.sections.speech import Bound, GateConfig, SpeechConfig

__all__ = [
    "Bound",
    "BudgetConfig",
    "DisturbanceConfig",
    "EpisodeConfig",
    "GateConfig",
    "MemoryConfig",
    "MonitorConfig",
    "PlannerConfig",
    "PolicyConfig",
    "RealtimeConfig",
    "RobotConfig",
    "SceneConfig",
    "Section",
    "ShieldConfig",
    "SpeechConfig",
]
