"""The page a reviewer decides from: one HTML file that needs nothing beside it."""

from editkit.page.html import render
from editkit.page.material import CaseSet, Material, Written

__all__ = ["CaseSet", "Material", "Written", "render"]
