"""
Train the sketch model: `python -m scripts.sketch.train --cache FOLDER --out FOLDER`.

Both towers learn one space that is laid out beforehand. Every kind has an anchor, a unit vector, and the cosines
between anchors come from `texts.likeness`. The text tower learns to put every written form of a kind on its anchor
(softmax over kinds), descriptions near the anchors of which they are true (sigmoid, as in SigLIP), and words that name
nothing far from all anchors. The image tower learns to put pictures on the anchor of their kind. So the towers need not
wait for each other, and may be trained at the same time (`--only`).
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .data import SIZE, pictures
from .kinds import KINDS, check
from .model import DIMENSION, LETTERS, ImageTower, TextTower, encode, tokenizer
from .texts import CATALOGUE, ENGLISH_TEMPLATES, TEMPLATES, features, names, phrases, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MEAN, STD = 0.5, 0.25
SCALE = 25.0  # of the cosines in the softmax over kinds
PHRASES = 64  # descriptions in a step
NONSENSE = 24  # words in a step that name nothing
SMALL = 64  # side of the pictures in the first part of the training, for speed
PART = 0.65


def options() -> argparse.Namespace:
    """
    Read the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--kinds-csv", type=Path, default=CATALOGUE, help="folder of fish.csv and strays.csv")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the drawn pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for the trained weights")
    parser.add_argument("--only", choices=("texts", "pictures"), help="train one tower")
    parser.add_argument("--per-kind", type=int, default=260, help="pictures of each kind")
    parser.add_argument("--steps", type=int, default=3500, help="steps of the image tower")
    parser.add_argument("--text-steps", type=int, default=2200, help="steps of the text tower")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=20251122)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def anchors() -> Tensor:
    """
    Return one unit vector for every kind, (kinds, 512), with the cosines of `texts.likeness`.
    """
    rows = features()
    turn, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((DIMENSION, DIMENSION)))
    return functional.normalize(torch.tensor(rows @ turn[: rows.shape[1]], dtype=torch.float32), dim=1)


def written(forms: dict[str, list[str]], rng: np.random.Generator) -> list[str]:
    """
    Choose one written form for every kind: its own name a third of the time, sometimes in a sentence.

    A step in four is in Latin letters, the others are not, so that most steps have short texts.
    """
    latin = rng.uniform() < 0.25
    chosen = []
    for name, given in forms.items():
        fitting = [form for form in given if form.isascii() == latin]
        form = (
            name
            if rng.uniform() < 0.33 and not latin
            else fitting[int(rng.integers(len(fitting)))]
            if fitting
            else name
        )
        if rng.uniform() < 0.3:
            sentences = ENGLISH_TEMPLATES if form.isascii() else TEMPLATES
            form = sentences[int(rng.integers(len(sentences)))].format(form)
        chosen.append(form)
    return chosen


def nonsense(rng: np.random.Generator, kanji: str, n: int) -> list[str]:
    """
    Return n words that name nothing: kana, Latin letters, or kanji and unknown signs by chance.
    """
    alphabets = (LETTERS[:86], LETTERS[86:], "abcdefghijklmnopqrstuvwxyz ", kanji, kanji + "\u2603" * len(kanji))
    words = []
    for _ in range(n):
        alphabet = alphabets[int(rng.integers(len(alphabets)))]
        words.append("".join(alphabet[i] for i in rng.integers(len(alphabet), size=int(rng.integers(2, 9)))))
    return words


def vary(batch: NDArray[np.uint8], side: int, noise: torch.Generator) -> Tensor:
    """
    Return pictures as numbers for the tower, `side` pixels wide, moved, turned, relit and partly covered by chance.
    """
    x = torch.tensor(batch).permute(0, 3, 1, 2).float() / 255
    n = len(x)

    def chance(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(n, *shape, generator=noise) * (high - low) + low

    angle, zoom = chance(-0.12, 0.12), chance(0.90, 1.10)
    c, s = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    move = torch.stack([torch.stack([c, -s, chance(-0.07, 0.07)], 1), torch.stack([s, c, chance(-0.07, 0.07)], 1)], 1)
    x = functional.grid_sample(
        x,
        functional.affine_grid(move, [n, 3, side, side], align_corners=False),
        padding_mode="border",
        align_corners=False,
    )
    x = x * (chance(0.88, 1.12, 1, 1, 1) * chance(0.95, 1.05, 3, 1, 1)) + chance(-0.05, 0.05, 1, 1, 1)
    for i in torch.nonzero(torch.rand(n, generator=noise) < 0.2).flatten().tolist():
        top, left, high, wide = (int(v) for v in torch.randint(0, side * 3 // 4, (4,), generator=noise))
        x[i, :, top : top + 6 + high // 6, left : left + 6 + wide // 6] = torch.rand(3, 1, 1, generator=noise)
    return ((x - MEAN) / STD).to(memory_format=torch.channels_last)


def plain(batch: NDArray[np.uint8]) -> Tensor:
    """
    Return pictures as numbers for the tower.
    """
    return (torch.tensor(batch).permute(0, 3, 1, 2).float() / 255 - MEAN) / STD


def naming(vectors: Tensor, kind: Tensor, goal: Tensor) -> Tensor:
    """
    Return the loss of unit vectors (n, 512) that belong on the anchors of their kinds (n,).
    """
    cosines = vectors @ goal.T
    away = 1 - cosines.gather(1, kind[:, None]).mean()
    return functional.cross_entropy(cosines * SCALE, kind) + 4 * away


def follow(average: nn.Module, model: nn.Module, keep: float) -> None:
    """
    Move the averaged model towards the model.
    """
    with torch.no_grad():
        for a, b in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
            if a.dtype.is_floating_point:
                a.lerp_(b, 1 - keep)
            else:
                a.copy_(b)


def run(
    tower: nn.Module,
    *,
    extra: list[nn.Parameter],
    steps: int,
    rate: float,
    step_loss: Callable[[int], Tensor],
    keep: Callable[[nn.Module], str],
) -> None:
    """Take steps down a loss with AdamW. Pass the average of the last weights to `keep` now and then."""
    flat, full = [p for p in tower.parameters() if p.ndim <= 1], [p for p in tower.parameters() if p.ndim > 1]
    optimiser = torch.optim.AdamW(
        [{"params": full, "weight_decay": 0.02}, {"params": [*flat, *extra], "weight_decay": 0.0}], lr=rate
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.08, final_div_factor=200)
    average, start = copy.deepcopy(tower), time.monotonic()
    for step in range(1, steps + 1):
        loss = step_loss(step)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(tower.parameters(), 3.0)
        optimiser.step()
        schedule.step()
        follow(average, tower, min(0.996, step / (step + 20)))
        if sys.stderr.isatty():
            print(
                f"\rstep {step}/{steps}  loss {loss.item():.3f}  {(time.monotonic() - start) / step:.3f} s a step",
                end="",
                file=sys.stderr,
            )
        if step % 250 == 0 or step == steps:
            print(
                f"\rstep {step}/{steps}  {keep(average)}  {(time.monotonic() - start) / step:.3f} s a step",
                file=sys.stderr,
            )


def train_texts(given: argparse.Namespace) -> None:
    """
    Train the text tower and write it with its tokenizer.
    """
    torch.manual_seed(given.seed)
    rng, noise = np.random.default_rng(given.seed), torch.Generator().manual_seed(given.seed)
    forms, told, goal = names(given.kinds_csv), phrases(), anchors()
    made = tokenizer([*TEMPLATES, *told.texts, *(form for given_ in forms.values() for form in given_)])
    tower = TextTower(made.get_vocab_size())
    scale, bias = nn.Parameter(torch.tensor(2.3)), nn.Parameter(torch.tensor(-4.0))
    kanji = "".join(sorted({c for given_ in forms.values() for form in given_ for c in form if c >= "\u4e00"}))
    every = [(form, i) for i, given_ in enumerate(forms.values()) for form in given_]

    def step_loss(_: int) -> Tensor:
        some = rng.choice(len(told.texts), PHRASES, replace=False)
        ids, mask = encode(
            made, [*written(forms, rng), *(told.texts[i] for i in some), *nonsense(rng, kanji, NONSENSE)]
        )
        ids = torch.where((torch.rand(ids.shape, generator=noise) < 0.03) & (ids > 2), 1, ids)
        vectors = functional.normalize(tower(ids, mask), dim=1)
        named, described, empty = torch.split(vectors, [len(KINDS), PHRASES, NONSENSE])
        truth = torch.from_numpy(told.truth[some])
        scores = described @ goal.T * scale.exp() + bias
        telling = functional.binary_cross_entropy_with_logits(scores, truth, torch.where(truth > 0, 3.0, 1.0))
        nothing = torch.relu((empty @ goal.T).amax(dim=1) - 0.2).mean()
        return naming(named, torch.arange(len(KINDS)), goal) + 2 * telling + 2 * nothing

    def keep(average: nn.Module) -> str:
        with torch.no_grad():
            cosines = functional.normalize(average(*encode(made, [form for form, _ in every])), dim=1) @ goal.T
        kind = torch.tensor([i for _, i in every])
        right, near = float(cosines.argmax(1).eq(kind).float().mean()), float(cosines.gather(1, kind[:, None]).mean())
        torch.save({"tower": average.state_dict(), "tokenizer": made.to_str()}, given.out / "text.pt")
        return f"written forms nearest to their anchors {right:.4f}, mean cosine {near:.3f}"

    run(tower, extra=[scale, bias], steps=given.text_steps, rate=given.rate, step_loss=step_loss, keep=keep)


def train_pictures(given: argparse.Namespace) -> None:
    """
    Train the image tower and write it.
    """
    torch.manual_seed(given.seed)
    rng, noise = np.random.default_rng(given.seed), torch.Generator().manual_seed(given.seed)
    goal = anchors()
    drawn, held = pictures("train", given.per_kind, given.cache), pictures("valid", 12, given.cache)
    flat, order = drawn.reshape(-1, *drawn.shape[2:]), np.empty(0, int)
    tower = ImageTower().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def step_loss(step: int) -> Tensor:
        nonlocal order
        if len(order) < given.batch:
            order = rng.permutation(len(flat))
        picked, order = np.sort(order[: given.batch]), order[given.batch :]
        side = SMALL if step <= given.steps * PART else SIZE
        with torch.autocast("cpu", torch.bfloat16):
            vectors = tower(vary(flat[picked], side, noise))
        return naming(functional.normalize(vectors.float(), dim=1), torch.from_numpy(picked // given.per_kind), goal)

    def keep(average: nn.Module) -> str:
        average.eval()
        with torch.no_grad():
            right = [
                float((functional.normalize(average(plain(rows)), dim=1) @ goal.T).argmax(1).eq(i).float().mean())
                for i, rows in enumerate(held)
            ]
        torch.save({"tower": average.state_dict()}, given.out / "image.pt")
        return f"held-out drawings named {np.mean(right):.4f}"

    run(tower, extra=[], steps=given.steps, rate=given.rate, step_loss=step_loss, keep=keep)


def main() -> None:
    """Train the chosen towers."""
    given = options()
    torch.set_num_threads(given.threads)
    check(read(given.kinds_csv))
    given.out.mkdir(parents=True, exist_ok=True)
    if given.only != "pictures":
        train_texts(given)
    if given.only != "texts":
        train_pictures(given)


if __name__ == "__main__":
    main()
