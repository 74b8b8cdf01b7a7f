"""EditPlan, Neurons -> Delta: the smallest change of the chosen rows that does what is asked."""

from typing import Final

SOLVERS: Final = {
    "gradient": "editkit.solve.gradient:Gradient",
    "erase": "editkit.solve.erase:Erase",
}
