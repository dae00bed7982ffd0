"""The sections of a configuration: every setting with its default and unit."""

from agent.sections.limits import BudgetConfig, EpisodeConfig, MemoryConfig, ShieldConfig
from agent.sections.local_model import LocalModelConfig
from agent.sections.monitor import MonitorConfig, SceneConfig
from agent.sections.planner import PlannerConfig
from agent.sections.policy import PolicyConfig, RealtimeConfig
from agent.sections.robot import DisturbanceConfig, RobotConfig
from agent.sections.ros2 import CameraConfig, Ros2Config
from agent.sections.section import Section
from agent.sections.speech import Bound, GateConfig, SpeechConfig

__all__ = [
    "Bound",
    "BudgetConfig",
    "CameraConfig",
    "DisturbanceConfig",
    "EpisodeConfig",
    "GateConfig",
    "LocalModelConfig",
    "MemoryConfig",
    "MonitorConfig",
    "PlannerConfig",
    "PolicyConfig",
    "RealtimeConfig",
    "RobotConfig",
    "Ros2Config",
    "SceneConfig",
    "Section",
    "ShieldConfig",
    "SpeechConfig",
]
