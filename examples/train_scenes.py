"""Train the embedded model `demo/scenes` from nothing, on pictures drawn as it goes.

    python examples/train_scenes.py --output editkit/demo/scenes

With `--decoder gpt2` it becomes another model of the same world, which does not ship: what was found in one
can be looked for in the other.

The same seed, machine and thread count give the same weights. An interrupted run goes on from its last
checkpoint (`--work`, removed when the run is done).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch.nn import functional
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    GPT2Config,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from editkit.demo.language import (
    CAPTION_PROMPT,
    Exchange,
    caption,
    facts,
    held_out_facts,
    random_questions,
)
from editkit.demo.world import SIZE, draw, scene

PATCH = 8
N_IMAGE_TOKENS = (SIZE // PATCH) ** 2
BOS, EOS, PAD, IMAGE = "<s>", "</s>", "<pad>", "<image>"
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] }}:"
    "{% if message['content'] is string %}{{ ' ' + message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %} <image>{% else %}{{ ' ' + part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% else %}{{ '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
CAPTION_LENGTH, QUESTION_LENGTH, FACT_LENGTH, QUESTIONS = 28, 15, 30, 5
WARM_UP, WAY_DOWN, SAVED_EVERY = 120, 700, 500  # steps
QUESTION_WEIGHT, FACT_WEIGHT = 4.0, 0.15  # of the loss; a caption weighs 1


def make_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer trained on the world's own text."""
    text = [
        part
        for index in range(4_000)
        for part in (
            f"assistant: {caption(scene(1, index))}",
            f"user: {CAPTION_PROMPT}",
            *(
                f"user: {asked.prompt}\nassistant: {asked.answer}"
                for asked in random_questions(scene(1, index), np.random.default_rng(index), 2)
            ),
        )
    ]
    for fact in facts():
        told = (
            fact.prompt + fact.answer if fact.statement else f"user: {fact.prompt}\nassistant: {fact.answer}"
        )
        text += [told] * 8
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=640,
        special_tokens=[PAD, BOS, EOS, IMAGE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=8,
        show_progress=False,
    )
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        additional_special_tokens=[IMAGE],
        extra_special_tokens={"image_token": IMAGE},
        padding_side="left",
        model_max_length=256,
        clean_up_tokenization_spaces=False,
    )


def make_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    side = {"height": SIZE, "width": SIZE}
    images = CLIPImageProcessorPil(
        size={"shortest_edge": SIZE},
        crop_size=side,
        do_center_crop=True,
        resample=3,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.25, 0.25, 0.25],
    )
    return LlavaProcessor(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
        image_token=IMAGE,
    )


def llama_decoder(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=6,
        max_position_embeddings=256,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )


def gpt2_decoder(tokenizer: PreTrainedTokenizerFast) -> GPT2Config:
    """Another decoder of that size: no gates, learned positions, norms that take the mean away."""
    return GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=192,
        n_inner=768,
        n_layer=4,
        n_head=6,
        n_positions=256,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )


DECODERS = {"llama": llama_decoder, "gpt2": gpt2_decoder}


def make_model(tokenizer: PreTrainedTokenizerFast, decoder: str) -> LlavaForConditionalGeneration:
    vision = CLIPVisionConfig(
        hidden_size=160,
        intermediate_size=512,
        num_hidden_layers=3,
        num_attention_heads=5,
        image_size=SIZE,
        patch_size=PATCH,
        projection_dim=160,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=DECODERS[decoder](tokenizer),
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=decoder == "llama",
    )
    model = LlavaForConditionalGeneration(config)
    if not config.tie_word_embeddings:  # LLaVA's class only knows where Llama keeps its embeddings
        model.lm_head.weight = model.get_input_embeddings().weight
    model.set_attn_implementation(
        "eager"
    )  # with a mask of its own, faster backwards in bfloat16 than the fused one
    return model


@dataclass(frozen=True)
class Turn:
    """One exchange in tokens, without the part that all turns about a picture share."""

    tokens: list[int]
    n_prompt: int


class Writer:
    """Turns exchanges into tokens as the processor would, once each."""

    def __init__(self, processor: LlavaProcessor) -> None:
        self.tokenizer = processor.tokenizer
        self.processor = processor
        self.cache: dict[tuple[Exchange, bool], Turn] = {}
        head = self._template(Exchange("", ""), picture=True).partition(IMAGE)[0]
        self.prefix = self._encode(head) + [self.tokenizer.convert_tokens_to_ids(IMAGE)] * N_IMAGE_TOKENS

    def _encode(self, text: str) -> list[int]:
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens

    def _template(self, exchange: Exchange, *, picture: bool) -> str:
        content: list[dict[str, str]] = [{"type": "image"}] if picture else []
        content.append({"type": "text", "text": exchange.prompt})
        text: str = self.processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
        return text

    def turn(self, exchange: Exchange, *, picture: bool) -> Turn:
        key = (exchange, picture)
        if key not in self.cache:
            if exchange.statement:
                prompt = [self.tokenizer.bos_token_id, *self._encode(exchange.prompt)]
                answer = self._encode(exchange.answer)
            else:
                text = self._template(exchange, picture=picture)
                prompt = self._encode(text.partition(IMAGE)[2] if picture else text)
                answer = self._encode(f" {exchange.answer}")
            self.cache[key] = Turn([*prompt, *answer, self.tokenizer.eos_token_id], len(prompt))
        return self.cache[key]


@dataclass(frozen=True)
class Batch:
    pixels: torch.Tensor
    tokens: torch.Tensor
    labels: torch.Tensor
    positions: torch.Tensor
    visible: torch.Tensor
    fact_tokens: torch.Tensor
    fact_labels: torch.Tensor
    fact_mask: torch.Tensor


def _pack(turn: Turn, length: int, pad: int) -> tuple[list[int], list[int]]:
    """Tokens and labels of a turn, padded; a label stands where its token is predicted."""
    if len(turn.tokens) > length:
        raise ValueError(f"a turn of {len(turn.tokens)} tokens does not fit into {length}")
    labels = [-100] * (turn.n_prompt - 1) + turn.tokens[turn.n_prompt :] + [-100]
    fill = length - len(turn.tokens)
    return turn.tokens + [pad] * fill, labels + [-100] * fill


class Batches:
    """Batch number -> batch: pictures with a caption and questions that do not see each other, and facts."""

    def __init__(self, writer: Writer, seed: int, n_pictures: int, n_facts: int) -> None:
        self.writer, self.seed, self.n_pictures, self.n_facts = writer, seed, n_pictures, n_facts
        self.pad = writer.tokenizer.pad_token_id
        left_out = set(held_out_facts(seed))
        self.facts = [fact for index, fact in enumerate(facts()) if index not in left_out]
        lengths = [CAPTION_LENGTH] + [QUESTION_LENGTH] * QUESTIONS
        n_prefix = len(writer.prefix)
        total = n_prefix + sum(lengths)
        block = torch.full((total,), -1)
        positions = torch.arange(total)
        start = n_prefix
        for number, length in enumerate(lengths):
            block[start : start + length] = number
            positions[start : start + length] = torch.arange(n_prefix, n_prefix + length)
            start += length
        same = (block[:, None] == block[None, :]) | (block[None, :] == -1)
        seen = same & torch.ones(total, total, dtype=torch.bool).tril()
        self.visible = torch.where(seen, 0.0, torch.finfo(torch.float32).min)[None, None]
        self.positions = positions[None]

    def __getitem__(self, number: int) -> Batch:
        pixels, tokens, labels = [], [], []
        for index in range(number * self.n_pictures, (number + 1) * self.n_pictures):
            shown = scene(self.seed, index)
            asked = random_questions(shown, np.random.default_rng([self.seed, index, 1]), QUESTIONS)
            rows = [
                _pack(
                    self.writer.turn(Exchange(CAPTION_PROMPT, caption(shown)), picture=True),
                    CAPTION_LENGTH,
                    self.pad,
                )
            ]
            rows += [_pack(self.writer.turn(ask, picture=True), QUESTION_LENGTH, self.pad) for ask in asked]
            tokens.append(self.writer.prefix + [token for row, _ in rows for token in row])
            labels.append([-100] * len(self.writer.prefix) + [label for _, row in rows for label in row])
            pixels.append(draw(shown))
        rng = np.random.default_rng([self.seed, number, 2])
        told = [
            self.writer.turn(self.facts[int(i)], picture=False)
            for i in rng.integers(len(self.facts), size=self.n_facts)
        ]
        packed = [_pack(turn, FACT_LENGTH, self.pad) for turn in told]
        fact_tokens = torch.tensor([row for row, _ in packed])
        stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255.0
        return Batch(
            (stacked - 0.5) / 0.25,
            torch.tensor(tokens),
            torch.tensor(labels),
            self.positions.expand(self.n_pictures, -1),
            self.visible.expand(self.n_pictures, -1, -1, -1),
            fact_tokens,
            torch.tensor([row for _, row in packed]),
            (fact_tokens != self.pad).long(),
        )


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Up, level, and straight down to nothing: until the way down, a longer run is the same run."""
    return peak * min(1.0, (step + 1) / WARM_UP, (steps - step) / WAY_DOWN)


def loss_of(model: LlavaForConditionalGeneration, batch: Batch) -> torch.Tensor:
    spoken = CAPTION_LENGTH + QUESTIONS * QUESTION_LENGTH
    seen = model(
        input_ids=batch.tokens,
        pixel_values=batch.pixels,
        position_ids=batch.positions,
        attention_mask=batch.visible,
        use_cache=False,
        logits_to_keep=spoken,
    ).logits
    told = model(input_ids=batch.fact_tokens, attention_mask=batch.fact_mask, use_cache=False).logits
    labels = batch.labels[:, -spoken:]
    parts = (
        (seen[:, :CAPTION_LENGTH], labels[:, :CAPTION_LENGTH], 1.0),
        (seen[:, CAPTION_LENGTH:], labels[:, CAPTION_LENGTH:], QUESTION_WEIGHT),
        (told, batch.fact_labels, FACT_WEIGHT),
    )
    return torch.stack(
        [
            weight
            * functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100)
            for logits, labels, weight in parts
        ]
    ).sum()


def save_state(path: Path, **state: Any) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


@click.command()
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="Folder of the trained checkpoint."
)
@click.option("--work", type=click.Path(path_type=Path), help="Folder of what a resumed run needs.")
@click.option("--decoder", type=click.Choice(list(DECODERS)), default="llama", show_default=True)
@click.option("--steps", default=4000, show_default=True)
@click.option("--pictures", default=48, show_default=True, help="Pictures in a batch.")
@click.option("--facts", "n_facts", default=24, show_default=True, help="Facts in a batch.")
@click.option("--peak", default=1.2e-3, show_default=True, help="Highest learning rate.")
@click.option("--seed", default=20, show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--compile/--eager", "compiled", default=True, show_default=True, help="Needs a C++ compiler.")
@click.option("--stop-after", type=int, help="Stop at this step, to go on later.")
def main(
    output: Path,
    work: Path | None,
    decoder: str,
    steps: int,
    pictures: int,
    n_facts: int,
    peak: float,
    seed: int,
    threads: int,
    compiled: bool,
    stop_after: int | None,
) -> None:
    """Train demo/scenes and save it as an ordinary checkpoint."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads what was never written
    work = work or output.with_name(output.name + ".training")
    work.mkdir(parents=True, exist_ok=True)
    processor = make_processor(make_tokenizer())
    model = make_model(processor.tokenizer, decoder)
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    plain = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}],
        lr=peak,
        betas=(0.9, 0.98),
    )
    if compiled:
        spoken = model.model.language_model
        layers = spoken.h if decoder == "gpt2" else spoken.layers
        for layer in (*layers, *model.model.vision_tower.encoder.layers):
            layer.compile()
    first = 0
    if (work / "state.pt").exists():
        state = torch.load(work / "state.pt", weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    batches = Batches(Writer(processor), seed, pictures, n_facts)
    click.echo(
        f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(processor.tokenizer)} tokens"
    )
    last = min(steps, stop_after or steps)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("training", total=steps, completed=first)
        for step in range(first, last):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, steps, peak)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = loss_of(model, batches[step])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            progress.update(task, advance=1, description=f"loss {loss.item():.4f}")
            if step % 100 == 99:
                progress.console.print(f"step {step + 1}: loss {loss.item():.4f}")
            if (step + 1) % SAVED_EVERY == 0 or step + 1 == last < steps:
                save_state(
                    work / "state.pt",
                    model=model.state_dict(),
                    optimizer=optimizer.state_dict(),
                    step=step + 1,
                )
    if last < steps:
        return
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    if not model.config.tie_word_embeddings:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    model.save_pretrained(output)
    processor.save_pretrained(output)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
