"""Prompts are embedded once: the same bits from memory, from disk and from the encoder."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from kinogate.engines.diffusers.load import Resident
from kinogate.engines.diffusers.texts import EmbeddingCache, Texts, identity, key_of

BF16 = torch.bfloat16


def an_embedding(rows: int = 5, width: int = 8, dtype: torch.dtype = BF16) -> torch.Tensor:
    random = torch.Generator().manual_seed(rows)
    used = torch.randn(rows, width, generator=random).to(dtype)
    return torch.cat([used, used.new_zeros(512 - rows, width)]).unsqueeze(0)


class CountingPipe:
    """A pipeline whose encoder counts how often it works, and where."""

    def __init__(self) -> None:
        self.text_encoder = torch.nn.Linear(1, 1)
        self.text_encoder.dtype = torch.float32  # type: ignore[assignment]
        self._execution_device = torch.device("cpu")
        self.prompts: list[str] = []

    def encode_prompt(self, prompt: str, **_: Any) -> tuple[torch.Tensor, None]:
        self.prompts.append(prompt)
        return an_embedding(len(prompt), dtype=torch.float32), None


@pytest.mark.parametrize("dtype", [torch.float32, BF16, torch.float16])
def test_what_is_kept_comes_back_to_the_bit(dtype: torch.dtype, tmp_path: Path) -> None:
    embedding = an_embedding(dtype=dtype)
    EmbeddingCache(tmp_path).put("a" * 64, embedding)
    found = EmbeddingCache(tmp_path).get("a" * 64)
    assert found is not None
    assert found.dtype is dtype
    assert torch.equal(found, embedding)


def test_an_empty_prompt_is_kept_like_any_other(tmp_path: Path) -> None:
    embedding = torch.zeros(1, 512, 8)
    EmbeddingCache(tmp_path).put("a" * 64, embedding)
    found = EmbeddingCache(tmp_path).get("a" * 64)
    assert found is not None
    assert torch.equal(found, embedding)


def test_the_padding_takes_no_room_on_disk(tmp_path: Path) -> None:
    EmbeddingCache(tmp_path).put("a" * 64, an_embedding(rows=5, width=4096))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 64 * 1024


def test_anything_that_changes_the_embedding_changes_its_name() -> None:
    names = {
        key_of("umt5", "a cat", BF16),
        key_of("other", "a cat", BF16),
        key_of("umt5", "a cat ", BF16),
        key_of("umt5", "a cat", torch.float32),
        key_of("umt5", "a cat", BF16, tokens=226),
    }
    assert len(names) == 5


def test_other_weights_or_another_tokenizer_have_another_name(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    for part, name in (("text_encoder", "model.safetensors"), ("tokenizer", "tokenizer.json")):
        (folder / part).mkdir(parents=True)
        (folder / part / name).write_bytes(b"a" * 9_000_000)
    names = [identity(folder, "cuda:0")]
    assert identity(folder, "cuda:1") == names[0]
    names.append(identity(folder, "cpu"))
    for part, name in (("text_encoder", "model.safetensors"), ("tokenizer", "tokenizer.json")):
        with (folder / part / name).open("r+b") as file:
            file.seek(-10, os.SEEK_END)
            file.write(b"b")
        names.append(identity(folder, "cpu"))
    assert len(set(names)) == 4


def test_the_engine_embeds_as_the_pipeline_itself_does(
    resident: Callable[..., Resident],
) -> None:
    weights = resident("t2v")
    pipe = weights.any
    prompts = "a red kite, 沙丘", "blurred, grey"
    expected = pipe.encode_prompt(
        prompt=prompts[0], negative_prompt=prompts[1], max_sequence_length=512
    )
    for _ in range(2):
        found = [weights.texts.embed(pipe, prompt) for prompt in prompts]
        assert torch.equal(found[0], expected[0])
        assert torch.equal(found[1], expected[1])


def test_prompts_that_are_foreseen_are_embedded_beside_a_run(
    resident: Callable[..., Resident],
) -> None:
    weights = resident("t2v")
    pipe = weights.any
    texts = Texts(EmbeddingCache(), encoder="umt5")
    prompts = ["a harbour at dawn", "grey"]
    expected = [Texts(EmbeddingCache(), encoder="umt5").embed(pipe, prompt) for prompt in prompts]
    assert texts.needed(pipe, prompts) == 2
    beside = threading.Thread(target=texts.foresee, args=(pipe, prompts))
    beside.start()
    found = [texts.embed(pipe, prompt) for prompt in prompts]
    beside.join()
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))
    assert texts.needed(pipe, prompts) == 0


def test_one_that_is_asked_for_twice_at_the_same_time_is_embedded_once() -> None:
    pipe = CountingPipe()
    texts = Texts(EmbeddingCache(), encoder="umt5")
    threads = [threading.Thread(target=texts.embed, args=(pipe, "a cat")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pipe.prompts == ["a cat"]


def test_nothing_is_foreseen_while_the_encoder_waits_outside() -> None:
    pipe = CountingPipe()
    pipe.text_encoder.to = lambda _device: None  # type: ignore[method-assign]
    texts = Texts(EmbeddingCache(), encoder="umt5")
    texts.wait_outside(pipe, is_parked=True)
    texts.foresee(pipe, ["a cat"])
    assert pipe.prompts == []
    texts.wait_outside(pipe, is_parked=False)
    texts.foresee(pipe, ["a cat"])
    assert pipe.prompts == ["a cat"]


def test_no_prompt_is_written_to_disk(tmp_path: Path) -> None:
    texts = Texts(EmbeddingCache(tmp_path), encoder="umt5")
    texts.embed(CountingPipe(), "a secret garden")
    for path in tmp_path.iterdir():
        assert b"secret" not in path.name.encode() + path.read_bytes()


def test_files_stay_within_their_budget_and_the_oldest_go(tmp_path: Path) -> None:
    one = EmbeddingCache(tmp_path)
    one.put("a" * 64, an_embedding(rows=100))
    size = next(tmp_path.iterdir()).stat().st_size
    cache = EmbeddingCache(tmp_path, disk_bytes=3 * size, memory_bytes=0)
    for index, letter in enumerate("abc"):
        cache.put(letter * 64, an_embedding(rows=100))
        os.utime(tmp_path / f"{letter * 64}.safetensors", (index, index))
    assert cache.get("a" * 64) is not None  # used again, so b is the oldest now
    cache.put("d" * 64, an_embedding(rows=100))
    assert {path.name[0] for path in tmp_path.iterdir()} == {"a", "c", "d"}


def test_memory_stays_within_its_budget() -> None:
    embedding = an_embedding(rows=100)
    cache = EmbeddingCache(memory_bytes=2 * 100 * 8 * 2)
    for letter in "abc":
        cache.put(letter * 64, embedding)
    assert cache.get("a" * 64) is None
    assert cache.get("b" * 64) is not None
    assert cache.get("c" * 64) is not None


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\xff" * 4096])
def test_a_damaged_file_is_removed_and_made_again(damage: bytes, tmp_path: Path) -> None:
    EmbeddingCache(tmp_path).put("a" * 64, an_embedding())
    path = next(tmp_path.iterdir())
    path.write_bytes(damage)
    cache = EmbeddingCache(tmp_path)
    assert cache.get("a" * 64) is None
    assert not path.exists()
    cache.put("a" * 64, an_embedding())
    assert EmbeddingCache(tmp_path).get("a" * 64) is not None


def test_a_folder_that_cannot_be_written_costs_no_run(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"in the way")
    cache = EmbeddingCache(blocked / "folder")
    cache.put("a" * 64, an_embedding())
    assert cache.get("a" * 64) is not None


def test_writers_side_by_side_leave_whole_files_only(tmp_path: Path) -> None:
    def write() -> None:
        for _ in range(20):
            EmbeddingCache(tmp_path).put("a" * 64, an_embedding(rows=200))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in tmp_path.iterdir()] == ["a" * 64 + ".safetensors"]
    assert EmbeddingCache(tmp_path).get("a" * 64) is not None


def test_a_prompt_is_embedded_once_also_by_the_next_process(tmp_path: Path) -> None:
    pipe = CountingPipe()
    texts = Texts(EmbeddingCache(tmp_path), encoder="umt5")
    first = texts.embed(pipe, "blurred")
    assert texts.needed(pipe, ["blurred", "a cat"]) == 1
    assert torch.equal(texts.embed(pipe, "blurred"), first)
    later = Texts(EmbeddingCache(tmp_path), encoder="umt5")
    assert torch.equal(later.embed(pipe, "blurred"), first)
    assert pipe.prompts == ["blurred"]


def test_a_parked_encoder_is_on_the_device_only_while_it_works() -> None:
    moves: list[str] = []
    pipe = CountingPipe()
    pipe.text_encoder.to = lambda device: moves.append(str(device))  # type: ignore[method-assign]
    texts = Texts(EmbeddingCache(), encoder="umt5", is_parked=True)
    texts.park(pipe)
    texts.embed(pipe, "a cat")
    texts.embed(pipe, "a cat")
    assert moves == ["cpu", "cpu", "cpu"]  # parked; brought to the device, here a CPU; parked
