"""What every section of a configuration is made of."""

from __future__ import annotations

from pydantic import ConfigDict

from agent.types import Model

Point = tuple[float, float, float]


class Section(Model):
    """Base of the sections: frozen, no unknown keys, no infinities."""

    model_config = ConfigDict(use_attribute_docstrings=True, allow_inf_nan=False)
