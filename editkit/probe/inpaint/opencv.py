"""OpenCV's two inpainters, where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from editkit.errors import UsageError
from editkit.probe.inpaint.inpainter import Inpainter

if TYPE_CHECKING:
    from editkit.probe.inpaint.inpainter import Mask, Pixels


class OpenCV(Inpainter):
    radius: float = Field(3.0, gt=0, le=100, description="how far around a pixel it looks, in pixels")

    def check(self) -> None:
        if find_spec("cv2") is None:
            raise UsageError(
                "probe.twins.method: needs OpenCV: pip install 'editkit[opencv]', or choose biharmonic"
            )

    def through(self, picture: Pixels, mask: Mask, way: Literal["TELEA", "NS"]) -> Pixels:
        self.check()
        import cv2
        import numpy as np

        flag = cv2.INPAINT_TELEA if way == "TELEA" else cv2.INPAINT_NS
        hole = np.ascontiguousarray(mask, dtype=np.uint8)
        found: Pixels = np.asarray(cv2.inpaint(np.ascontiguousarray(picture), hole, self.radius, flag))
        return found
