"""MiniGPT-4, put together from what its authors, BLIP-2's and Vicuna's published.

transformers has no class of that name, and needs none: it is BLIP-2 with a Llama as the text model and a
linear map between them (Zhu et al. 2023, arXiv:2304.10592). The processor is LLaVA's, which puts a picture
where the text says: BLIP-2's own can only put it before everything, and loses the chat template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from editkit.convert import lavis, llama
from editkit.convert.assembly import Assembly
from editkit.convert.folder import DTYPES, Planned
from editkit.convert.naming import blank, buildable, complete, renamed
from editkit.convert.part import Part, open_part, settings
from editkit.convert.seeing import Seeing, of_blip2, of_lavis, sizes
from editkit.errors import ModelError, UsageError
from editkit.events import Tell, nobody

PICTURE: Final = "<image>"
SYSTEM: Final = (
    "Give the following image: <Img>ImageContent</Img>. You will be able to see the image once I provide it "
    "to you. Please answer my questions."
)
# The conversation of the authors' demo; a space stands between a picture and a text.
TEMPLATE: Final = (
    "{% set seen = namespace(any=false) %}"
    "{% for m in messages if m['content'] is not string %}{% for p in m['content'] if p['type'] == 'image' %}"
    "{% set seen.any = true %}{% endfor %}{% endfor %}"
    "{% if messages[0]['role'] != 'system' and seen.any %}" + SYSTEM + "{% endif %}"
    "{% for m in messages %}"
    "{% if m['role'] == 'user' %}###Human: {% elif m['role'] == 'assistant' %}###Assistant: {% endif %}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}"
    "{% if p['type'] == 'image' %}<Img>" + PICTURE + "</Img>{% else %}{{ p['text'] }}{% endif %}"
    "{% if not loop.last %} {% endif %}{% endfor %}{% endif %}{% endfor %}"
    "###{% if add_generation_prompt %}Assistant:{% endif %}"
)
# "###" ends an answer; a Llama writes it as one token or begins it with two signs.
ENDS: Final = ("\u2581###", "###", "##")
RELEASED: Final = "a released checkpoint of MiniGPT-4"
LEARNED: Final = (
    (r"llama_proj\.(weight|bias)", r"language_projection.\1"),
    (r"llama_model\.(.+)", r"language_model.\1"),
    *lavis.QFORMER_NAMES,
)
BUFFERS: Final = (*llama.COMPUTED, "position_ids")


@dataclass(frozen=True)
class MiniGPT4:
    """Where the parts are; either `blip2`, or both `vision` and `qformer`.

    Attributes:
        vicuna: the folder of a Vicuna v0.
        projection: the released checkpoint, a pickle.
        blip2: the folder of a BLIP-2 in transformers' layout.
        vision: `eva_vit_g.pth`.
        qformer: `blip2_pretrained_flant5xxl.pth`.
        dtype: of all weights but the Q-Former's, which transformers keeps in float32.
    """

    vicuna: Path
    projection: Path
    blip2: Path | None = None
    vision: Path | None = None
    qformer: Path | None = None
    dtype: str = "float16"

    def assemble(self, tell: Tell = nobody) -> Assembly:
        """Everything the folder will hold, checked, before a byte of it is written.

        Raises:
            UsageError: too few parts, or too many.
            ModelError: a part that can't be read, or that does not fit the others.
        """
        from transformers import Blip2ForConditionalGeneration

        dtype = DTYPES[self.dtype]
        seeing = self._seeing(dtype, tell)
        text, tokenizer = open_part(self.vicuna, tell), llama.tokenizer(self.vicuna, PICTURE)
        config = self._config(text, tokenizer, seeing)
        rows = config.text_config.vocab_size
        planned = seeing.tensors | llama.tensors(text, "language_model.", rows, dtype)
        planned |= self._learned(planned, config, dtype, tell)
        with buildable(self.vicuna):
            wanted = blank(partial(Blip2ForConditionalGeneration, config))
        places = {
            "language_model.": self.vicuna,
            "language_projection.": self.projection,
            "vision_model.post_layernorm.": self.blip2 or self.qformer,
            "vision_model.": self.blip2 or self.vision,
            "": self.blip2 or self.qformer,
        }
        # BLIP-2's own processor looks for this, should somebody load the folder with it.
        queries = {"num_query_tokens": config.num_query_tokens}
        return Assembly(
            config, complete(planned, wanted, places), _processor(tokenizer, config), reads=queries
        )

    def _seeing(self, dtype: torch.dtype, tell: Tell) -> Seeing:
        match self.blip2, self.vision, self.qformer:
            case Path() as blip2, None, None:
                return of_blip2(blip2, dtype, tell)
            case None, Path() as vision, Path() as qformer:
                return of_lavis(vision, qformer, dtype, tell)
        raise UsageError(
            "give either a BLIP-2 folder (--blip2), or two files of LAVIS (--vision and --qformer)"
        )

    def _config(self, text: Part, tokenizer: Any, seeing: Seeing) -> Any:
        from transformers import Blip2Config

        given = settings(self.vicuna)
        if given.get("model_type") != "llama":
            raise ModelError(f"{self.vicuna}: is a {given.get('model_type')}, not the Llama that Vicuna is")
        stored = text.shape("model.embed_tokens.weight", 2, "a Llama of transformers' layout")[0]
        known = tokenizer.get_vocab()
        asked = sizes(given) | {
            "vocab_size": max(stored, len(tokenizer)),
            "eos_token_id": [tokenizer.eos_token_id, *(known[token] for token in ENDS if token in known)],
            "bos_token_id": tokenizer.bos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
        with buildable(self.vicuna):
            config = Blip2Config(text_config=asked, image_token_index=known[PICTURE], **seeing.config)
        config.architectures = ["Blip2ForConditionalGeneration"]
        config.dtype = self.dtype
        return config

    def _learned(
        self, planned: Mapping[str, Planned], config: Any, dtype: torch.dtype, tell: Tell
    ) -> dict[str, Planned]:
        """What the released checkpoint holds: the projection, and whatever else was trained with it.

        Raises:
            ModelError: it has no projection, one of other sizes, or tensors that no part has a place for.
        """
        part = open_part(self.projection, tell)
        wide, asks = part.shape("llama_proj.weight", 2, RELEASED)
        if asks != config.qformer_config.hidden_size:
            raise ModelError(
                f"{self.projection}: it projects {asks} numbers where the Q-Former gives "
                f"{config.qformer_config.hidden_size}: only the releases for Vicuna have a Q-Former"
            )
        if wide != config.text_config.hidden_size:
            raise ModelError(
                f"{self.projection}: it projects to {wide} numbers where {self.vicuna} takes "
                f"{config.text_config.hidden_size}: one of them is for 7B, the other for 13B"
            )
        found = {}
        for name, shape in part.shapes.items():
            if name.endswith(BUFFERS):
                continue
            target = renamed(name, LEARNED)
            if target is None or not (target in planned or target.startswith("language_projection.")):
                raise ModelError(f"{self.projection}: {name} has no place in MiniGPT-4: it is not {RELEASED}")
            kept = planned[target].dtype if target in planned else dtype
            found[target] = Planned("projection", shape, kept, partial(part.read, name))
        return found


def _processor(tokenizer: Any, config: Any) -> Any:
    """One patch as large as the picture, and the rest of the queries besides: as many tokens as queries."""
    from transformers import BlipImageProcessorPil, LlavaProcessor

    side = config.vision_config.image_size
    return LlavaProcessor(
        image_processor=BlipImageProcessorPil(size={"height": side, "width": side}),
        tokenizer=tokenizer,
        patch_size=side,
        vision_feature_select_strategy="full",
        num_additional_image_tokens=config.num_query_tokens - 1,
        image_token=PICTURE,
        chat_template=TEMPLATE,
    )
