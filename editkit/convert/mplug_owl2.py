"""mPLUG-Owl2, as released, as a folder that transformers 5 loads with code of ours.

No class of transformers can hold it: words and pictures have norms, keys and values of their own in every
layer (Ye et al. 2023, arXiv:2311.04257). The release brings no code either, and its repository's rewrites
transformers 4.31 while it runs. The feed-forward network is shared, so a W_out is where every Llama has it:
`model.layers.{}.mlp.down_proj`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from editkit.convert import llama
from editkit.convert.assembly import Assembly
from editkit.convert.folder import DTYPES, Planned
from editkit.convert.naming import Rules, blank, buildable, complete, renamed
from editkit.convert.part import Part, open_part, settings
from editkit.errors import ModelError
from editkit.events import Tell, nobody

PICTURE: Final = "<|image|>"
# The conversation of the authors' demo, which has no system sentence.
TEMPLATE: Final = (
    "{% for m in messages %}"
    "{% if m['role'] == 'user' %}USER: {% elif m['role'] == 'assistant' %}ASSISTANT: {% endif %}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for p in m['content'] %}"
    "{% if p['type'] == 'image' %}" + PICTURE + "{% else %}{{ p['text'] }}{% endif %}{% endfor %}{% endif %}"
    "{% if m['role'] == 'assistant' %}{{ eos_token }}{% else %} {% endif %}"
    "{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
NAMES: Final[Rules] = (
    (r"model\.(vision_model|visual_abstractor)\.(.+)", r"\1.\2"),
    (r"((?:model|lm_head)\..+)", r"\1"),
)
# Places, which the model computes.
BUFFERS: Final = (*llama.COMPUTED, ".q_pos_embed", ".k_pos_embed")
ARCHITECTURE: Final = "MPLUGOwl2LlamaForCausalLM"
CODE: Final = Path(__file__).parent / "mplug_owl2_code"
MODELING: Final = f"modeling_mplug_owl2.{ARCHITECTURE}"
AUTO_MAP: Final = {
    "AutoConfig": "configuration_mplug_owl2.MPLUGOwl2Config",
    "AutoModelForImageTextToText": MODELING,
    "AutoModelForCausalLM": MODELING,
}
CLIP: Final = {
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}


@dataclass(frozen=True)
class MPLUGOwl2:
    """The folder of a release for Llama 2, such as MAGAer13/mplug-owl2-llama2-7b."""

    released: Path
    dtype: str = "float16"

    def assemble(self, tell: Tell = nobody) -> Assembly:
        """Everything the folder will hold, checked, before a byte of it is written.

        Raises:
            ModelError: it can't be read, or is another model.
        """
        from editkit.convert.mplug_owl2_code.modeling_mplug_owl2 import MPLUGOwl2LlamaForCausalLM

        tokenizer = llama.tokenizer(self.released, PICTURE)
        config = self._config(tokenizer)
        part = open_part(self.released, tell)
        with buildable(self.released):
            wanted = blank(partial(MPLUGOwl2LlamaForCausalLM, config))
        planned = complete(self._planned(part), wanted, {"": self.released})
        code = tuple(sorted(CODE.glob("*_mplug_owl2.py")))
        return Assembly(config, planned, self._processor(tokenizer, config), code)

    def _config(self, tokenizer: Any) -> Any:
        from editkit.convert.mplug_owl2_code.configuration_mplug_owl2 import MPLUGOwl2Config

        given = settings(self.released)
        if given.get("model_type") != "mplug_owl2" or ARCHITECTURE not in given.get("architectures", ()):
            raise ModelError(
                f"{self.released}: is a {given.get('model_type')} of {given.get('architectures')}, "
                f"not the mPLUG-Owl2 for Llama ({ARCHITECTURE}); that for Qwen, 2.1, is not known here"
            )
        with buildable(self.released):
            config = MPLUGOwl2Config(**given)
        config.image_token_index = tokenizer.convert_tokens_to_ids(PICTURE)
        config.pad_token_id = tokenizer.pad_token_id
        config.auto_map = AUTO_MAP
        config.dtype = self.dtype
        if config.image_token_index < config.vocab_size:
            raise ModelError(f"{self.released}: its tokenizer has fewer words than its embeddings have rows")
        return config

    def _planned(self, part: Part) -> dict[str, Planned]:
        found = {}
        for name, shape in part.shapes.items():
            target = renamed(name, NAMES)
            if target is not None and not name.endswith(BUFFERS):
                what = "language model" if target == name else target.partition(".")[0].replace("_", " ")
                found[target] = Planned(what, shape, DTYPES[self.dtype], partial(part.read, name))
        return found

    def _processor(self, tokenizer: Any, config: Any) -> Any:
        """A picture is stretched to a square, as the authors do before anything else, and taken whole."""
        from transformers import CLIPImageProcessorPil, LlavaProcessor

        side = config.vision_config.image_size
        square = {"height": side, "width": side}
        given = settings(self.released, "preprocessor_config.json")
        colors = {name: given.get(name, value) for name, value in CLIP.items()}
        return LlavaProcessor(
            image_processor=CLIPImageProcessorPil(size=square, do_center_crop=False, **colors),
            tokenizer=tokenizer,
            patch_size=side,
            vision_feature_select_strategy="full",
            num_additional_image_tokens=config.abstractor_config.num_learnable_queries,
            image_token=PICTURE,
            chat_template=TEMPLATE,
        )
