"""Tiny checkpoints of every family of models: real classes, random weights, no downloads."""

from tests.families.family import Family
from tests.families.moe import MOE
from tests.families.text import TEXT
from tests.families.vision import VISION

FAMILIES: dict[str, Family] = {family.name: family for family in (*TEXT, *MOE, *VISION)}
