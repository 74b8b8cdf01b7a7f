"""Picture, mask -> the picture with the mask painted over."""

from typing import Final

INPAINTERS: Final = {
    "biharmonic": "editkit.probe.inpaint.biharmonic:Biharmonic",
    "mean": "editkit.probe.inpaint.mean:Mean",
    "blur": "editkit.probe.inpaint.blur:Blur",
    "telea": "editkit.probe.inpaint.telea:Telea",
    "navier_stokes": "editkit.probe.inpaint.navier_stokes:NavierStokes",
    "diffusers": "editkit.probe.inpaint.diffusers:Diffusers",
}
