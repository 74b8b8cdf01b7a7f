"""A diffusion model draws what could be there, through diffusers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import Field, PrivateAttr

from editkit.errors import InputError, UsageError
from editkit.probe.inpaint.inpainter import Inpainter

if TYPE_CHECKING:
    from editkit.probe.inpaint.inpainter import Mask, Pixels

STEP: Final = 64  # sides that every pipeline's networks can halve often enough


class Diffusers(Inpainter):
    """An inpainting pipeline that you name. A folder never downloads anything; a Hub name may."""

    model: str = Field(
        min_length=1, description="an inpainting pipeline: org/name, or a folder such as ./name"
    )
    revision: str | None = Field(None, description="branch, tag or commit of a Hub name")
    prompt: str = Field("background", description="what to draw")
    steps: int = Field(30, ge=1, description="denoising steps")
    guidance: float = Field(7.5, ge=0, description="how much the prompt counts")
    seed: int = Field(0, ge=0, description="of the noise it begins with, the same for every picture")
    side: int = Field(
        512, ge=STEP, multiple_of=8, description="longer side in pixels of what the pipeline sees"
    )
    device: str = Field("cpu", description="where torch runs it")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="of its weights")

    _pipeline: Any = PrivateAttr(None)

    def beside(self, resolve: Callable[[str], Path]) -> Self:
        folder = resolve(self.model)
        return self.model_copy(update={"model": str(folder)}) if folder.is_dir() else self

    def check(self) -> None:
        if find_spec("diffusers") is None:
            raise UsageError(
                "probe.twins.method: needs diffusers: pip install 'editkit[diffusers]', or choose biharmonic"
            )
        folder = Path(self.model).expanduser()
        if self.model.startswith((".", "/", "~")) and not folder.is_dir():
            raise InputError(f"probe.twins.model: no folder {folder}")
        if folder.is_dir() and not (folder / "model_index.json").is_file():
            raise InputError(
                f"probe.twins.model: {folder} is no pipeline of diffusers: it has no model_index.json"
            )

    def identity(self) -> str:
        folder = Path(self.model).expanduser()
        files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
        state = hashlib.sha256()
        for path in files:
            status = path.stat()
            state.update(f"{path.relative_to(folder)} {status.st_size} {status.st_mtime_ns}\n".encode())
        return f"{self.model_dump_json()} {state.hexdigest()}"

    def painted(self, picture: Pixels, mask: Mask) -> Pixels:
        import numpy as np
        import torch
        from PIL import Image

        pipeline = self._loaded()
        height, width = mask.shape
        seen = _seen(width, height, self.side)
        result = pipeline(
            prompt=self.prompt,
            image=Image.fromarray(picture).resize(seen, Image.Resampling.LANCZOS),
            mask_image=Image.fromarray(mask.astype(np.uint8) * 255).resize(seen, Image.Resampling.BOX),
            width=seen[0],
            height=seen[1],
            num_inference_steps=self.steps,
            guidance_scale=self.guidance,
            generator=torch.Generator("cpu").manual_seed(self.seed),
        )
        if any(getattr(result, "nsfw_content_detected", None) or ()):
            raise InputError(
                f"{self.model}: the pipeline's own filter withheld a picture: change probe.twins.seed"
            )
        drawn: Image.Image = result.images[0]
        return np.asarray(drawn.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))

    def _loaded(self) -> Any:
        """The pipeline, loaded once.

        Raises:
            UsageError, InputError: see `check`; or it can't be loaded.
        """
        if self._pipeline is None:
            self.check()
            import torch
            from diffusers import AutoPipelineForInpainting

            folder = Path(self.model).expanduser()
            try:
                pipeline = AutoPipelineForInpainting.from_pretrained(
                    str(folder) if folder.is_dir() else self.model,
                    revision=self.revision,
                    use_safetensors=True,
                    local_files_only=folder.is_dir(),
                ).to(self.device, getattr(torch, self.dtype))
            except Exception as error:  # whatever the libraries below raise of a file, a name or the network
                why = " ".join(str(error).split())[:200]
                raise InputError(
                    f"probe.twins.model: {self.model} can't be loaded as an inpainting pipeline "
                    f"({type(error).__name__}: {why})"
                ) from error
            pipeline.set_progress_bar_config(disable=True)
            self._pipeline = pipeline
        return self._pipeline


def _seen(width: int, height: int, side: int) -> tuple[int, int]:
    """The size the pipeline sees: of nearly the picture's shape, in whole steps."""
    scale = side / max(width, height)
    step = min(STEP, side)
    return max(step, round(width * scale / step) * step), max(step, round(height * scale / step) * step)
