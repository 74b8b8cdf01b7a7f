"""What every test stands on: one thread, no network, no leftovers of the caller's environment."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from editkit.model.editable import Editable

# Before torch, transformers or mlflow is imported by any test: they read these once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["HF_MODULES_CACHE"] = tempfile.mkdtemp(prefix="editkit-modules-")  # never the caller's
atexit.register(shutil.rmtree, os.environ["HF_MODULES_CACHE"], ignore_errors=True)
os.environ["MPLBACKEND"] = "Agg"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["NO_COLOR"] = "1"

KEPT = {"EDITKIT_HOME", "EDITKIT_REAL_DATA", "MLFLOW_DISABLE_TELEMETRY"}

# The examples are the same on every machine, and a slow machine is no failure.
settings.register_profile("house", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("house")

pytest_plugins = ["tests.makers", "tests.hub.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def _own_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The key for masked words is never the caller's."""
    os.environ["EDITKIT_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the caller's shell reaches a test."""
    for name in list(os.environ):
        if name.startswith(("EDITKIT_", "MLFLOW_")) and name not in KEPT:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """`real_data("models/stories260k")`: real models and data that are not in the repository."""
    root = Path(os.environ.get("EDITKIT_REAL_DATA") or Path(__file__).parents[2] / "shared" / "real")

    def find(name: str) -> Path:
        if not (root / name).exists():
            pytest.skip(f"no {name} in {root}: set EDITKIT_REAL_DATA")
        return root / name

    return find


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database: its migrations take 7 s, so they run once."""
    from editkit.events import nobody
    from editkit.track.store import connect, quiet

    database = tmp_path_factory.mktemp("mlflow") / "empty.db"
    with quiet():
        connect(f"sqlite:///{database}", nobody)
    return database


@pytest.fixture
def store(_migrated: Path, tmp_path: Path) -> str:
    """The address of an MLflow store of the test's own."""
    database = tmp_path / "mlflow.db"
    shutil.copyfile(_migrated, database)
    return f"sqlite:///{database}"


CORPUS = (
    "a gun, a cup and an apple.",
    "the gun is on the table, the guns are not.",
    "mom went home. mommy saw the moth and the mother.",
    "a knife and a fork, an umbrella and a spoon.",
    "Describe the image in few words.",
)
FAMILIES = ("llama", "gpt2", "llava")


@cache
def _tokenizer() -> Any:
    """Byte-level BPE of 310 tokens: short words are one or two of them, long ones more."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=310,
        special_tokens=["<pad>", "<s>", "</s>", "<image>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 4, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=["<image>"],
        extra_special_tokens={"image_token": "<image>"},
        padding_side="left",
        model_max_length=128,
        clean_up_tokenization_spaces=False,
    )


def _text_config(tokenizer: Any) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.3,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        tie_word_embeddings=False,
    )


def _save_tiny(family: str, dtype: str, folder: Path) -> None:
    """A checkpoint of random weights, wide enough apart for every neuron to matter."""
    import torch
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        GPT2Config,
        GPT2LMHeadModel,
        LlamaForCausalLM,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    torch.manual_seed(FAMILIES.index(family))
    processor = tokenizer = _tokenizer()
    if family == "llama":
        model: Any = LlamaForCausalLM(_text_config(tokenizer))
    elif family == "gpt2":
        sizes = {"vocab_size": len(tokenizer), "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 128}
        ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
        model = GPT2LMHeadModel(GPT2Config(**sizes, **ids, initializer_range=0.3))
        for block in model.transformer.h:
            torch.nn.init.normal_(block.mlp.c_proj.bias)  # freshly made ones are zero and would hide a slip
    else:
        vision = CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=48,
            projection_dim=16,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=32,
            patch_size=16,
        )
        text = _text_config(tokenizer)
        model = LlavaForConditionalGeneration(
            LlavaConfig(vision_config=vision, text_config=text, image_token_index=3, vision_feature_layer=-1)
        )
        side = {"height": 32, "width": 32}
        processor = LlavaProcessor(
            image_processor=CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=side),
            tokenizer=tokenizer,
            patch_size=16,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            chat_template="{% for m in messages %}user:{% for part in m['content'] %}"
            "{% if part['type'] == 'image' %} <image>{% else %} {{ part['text'] }}{% endif %}{% endfor %}"
            "{% endfor %}{{ '\\n' }}assistant:",
            image_token="<image>",
        )
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    processor.save_pretrained(folder)


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`tiny_checkpoint("llama", "bfloat16")`: the folder of a checkpoint, written once."""

    @cache
    def make(family: str, dtype: str = "float32") -> Path:
        folder = tmp_path_factory.mktemp("tiny") / f"{family}-{dtype}"
        _save_tiny(family, dtype, folder)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny(tiny_checkpoint: Callable[..., Path]) -> Callable[..., Editable]:
    """`tiny("llama", "bfloat16")`: a tiny model, opened once; who changes its weights puts them back."""
    from editkit.model.open import open_model
    from editkit.recipe import ModelRef

    @cache
    def opened(family: str, dtype: str = "float32") -> Editable:
        return open_model(ModelRef(id=str(tiny_checkpoint(family, dtype))))

    return opened


@pytest.fixture(scope="session")
def llama(tiny: Callable[..., Editable]) -> Editable:
    return tiny("llama")


@pytest.fixture(scope="session")
def llava(tiny: Callable[..., Editable]) -> Editable:
    return tiny("llava")


@pytest.fixture(scope="session", params=FAMILIES)
def any_model(request: pytest.FixtureRequest, tiny: Callable[..., Editable]) -> Editable:
    """Each of the tiny models in turn; GPT-2 stores its W_out transposed, LLaVA sees."""
    return tiny(request.param)


@pytest.fixture(scope="session")
def demo() -> Editable:
    """The embedded model."""
    from editkit.model.open import open_model
    from editkit.recipe import ModelRef

    return open_model(ModelRef(id="demo/scenes"))
