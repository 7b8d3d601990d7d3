"""Embeddings of prompts, kept by what was embedded, in memory and on disk.

A prompt's embedding depends on the text encoder and the prompt alone, so a negative prompt is embedded
once in a server's life, a caller who tries seeds pays for the first try only, and the encoder, 11 GB
of a card's memory, can wait outside it. What is kept is the embedding as the encoder gave it, bit
for bit; the prompt itself is not written anywhere.

Imports torch; child processes only.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from kinogate.engines.diffusers.flops import TEXT_TOKENS

_log = logging.getLogger(__name__)
_MIB = 1024**2
_SAMPLE_BYTES = 4 * _MIB
_SUFFIX = ".safetensors"
_NAME = "rows"


def key_of(encoder: str, prompt: str, dtype: torch.dtype, tokens: int = TEXT_TOKENS) -> str:
    """The name of an embedding: 64 hexadecimal digits.

    Args:
        encoder: Which text encoder; two with other weights need other names.
        prompt: The text, as it is given to the tokenizer.
        dtype: Of the embedding.
        tokens: What the prompt is padded and cut to.
    """
    parts = (encoder, str(dtype), str(tokens), prompt)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def identity(folder: Path, device: str) -> str:
    """A name for the text encoder in a folder of weights: another one for other weights.

    The smallest files are read whole, of the large ones size, head and tail: 11 GB take a while.
    Device and versions belong to it, since the last bits of an embedding depend on them.
    """
    digest = hashlib.sha256()
    for part in ("text_encoder", "tokenizer"):
        for path in sorted((folder / part).rglob("*")):
            if not path.is_file():
                continue
            size = path.stat().st_size
            digest.update(f"{path.relative_to(folder)}:{size}\0".encode())
            with path.open("rb") as file:
                digest.update(file.read(_SAMPLE_BYTES))
                if size > _SAMPLE_BYTES:
                    file.seek(max(_SAMPLE_BYTES, size - _SAMPLE_BYTES))
                    digest.update(file.read())
    kind = device.partition(":")[0]
    versions = f"torch/{torch.__version__} transformers/{version('transformers')}"
    return f"{digest.hexdigest()} {kind} {versions}"


class EmbeddingCache:
    """Keeps embeddings `[1, tokens, width]` within two budgets, the ones used last.

    Several processes may share a folder. Use from several threads is safe.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        disk_bytes: int = 2048 * _MIB,
        memory_bytes: int = 256 * _MIB,
    ) -> None:
        """Prepare a cache; the folder is made when something is first kept.

        Args:
            folder: Where files go, or None to keep nothing on disk.
            disk_bytes: Most bytes of the files together.
            memory_bytes: Most bytes in memory.
        """
        self._folder = folder
        self._disk_bytes = disk_bytes
        self._memory_bytes = memory_bytes
        self._kept: OrderedDict[str, torch.Tensor] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str, tokens: int = TEXT_TOKENS) -> torch.Tensor | None:
        """The embedding on the CPU, or None; a damaged file counts as none and is removed."""
        with self._lock:
            rows = self._kept.get(key)
            if rows is not None:
                self._kept.move_to_end(key)
        if rows is None and (rows := self._read(key)) is not None:
            self._remember(key, rows)
        return None if rows is None else _padded(rows, tokens)

    def put(self, key: str, embedding: torch.Tensor) -> None:
        """Keep an embedding; a full or read-only disk costs the file, not the run."""
        rows = _trimmed(embedding)
        self._remember(key, rows)
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part = self._folder / f"{key}.{os.getpid()}-{threading.get_ident()}.part"
            try:
                save_file({_NAME: rows}, part)
                part.replace(self._folder / (key + _SUFFIX))
            finally:
                part.unlink(missing_ok=True)
            self._shrink()
        except OSError as exc:
            _log.warning("An embedding could not be kept on disk: %s", exc)

    def _remember(self, key: str, rows: torch.Tensor) -> None:
        with self._lock:
            old = self._kept.pop(key, None)
            self._kept_bytes += _bytes(rows) - (_bytes(old) if old is not None else 0)
            self._kept[key] = rows
            while self._kept_bytes > self._memory_bytes and self._kept:
                _, dropped = self._kept.popitem(last=False)
                self._kept_bytes -= _bytes(dropped)

    def _read(self, key: str) -> torch.Tensor | None:
        if self._folder is None:
            return None
        path = self._folder / (key + _SUFFIX)
        try:
            rows = load_file(path)[_NAME]
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError) as exc:
            _log.warning("A kept embedding was damaged and is made again: %s", exc)
            path.unlink(missing_ok=True)
            return None
        return rows

    def _shrink(self) -> None:
        """Remove the files that were not used for longest until the rest fits."""
        folder = self._folder
        if folder is None:
            return
        files = []
        for path in folder.glob("*" + _SUFFIX):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue  # another process was quicker
            files.append((facts.st_mtime_ns, facts.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._disk_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size


class Texts:
    """Embeds prompts with a pipeline's encoder, once each."""

    def __init__(self, cache: EmbeddingCache, *, encoder: str, is_parked: bool = False) -> None:
        """Prepare.

        Args:
            cache: Where embeddings are kept.
            encoder: Which text encoder, for the names of what is kept.
            is_parked: Whether the encoder waits in host memory and is on the device only while it
                works.
        """
        self._cache = cache
        self._encoder = encoder
        self._is_parked = is_parked
        self._lock = threading.Lock()

    def embed(self, pipe: Any, prompt: str, tokens: int = TEXT_TOKENS) -> torch.Tensor:
        """The prompt's embedding `[1, tokens, width]` on the device where the pipeline computes.

        Equals what the pipeline's own `encode_prompt` gives, to the bit, whether it was kept or not.
        """
        device = pipe._execution_device  # noqa: SLF001 - knows about offloading, as nothing else
        key = key_of(self._encoder, prompt, _dtype(pipe), tokens)
        if (kept := self._cache.get(key, tokens)) is not None:
            return kept.to(device)
        with self._lock, torch.no_grad():
            if (kept := self._cache.get(key, tokens)) is not None:
                return kept.to(device)  # by a hint, a moment ago
            return self._made(pipe, prompt, tokens, key)

    def _made(self, pipe: Any, prompt: str, tokens: int, key: str) -> torch.Tensor:
        device = pipe._execution_device  # noqa: SLF001
        with self._at_work(pipe, device):
            embedding: torch.Tensor = pipe.encode_prompt(
                prompt=prompt,
                do_classifier_free_guidance=False,
                max_sequence_length=tokens,
                device=device,
            )[0]
        self._cache.put(key, embedding)
        return embedding

    def foresee(self, pipe: Any, prompts: Iterable[str], tokens: int = TEXT_TOKENS) -> None:
        """Embed prompts beside a run, from another thread, on a stream of its own.

        Nothing while the encoder waits outside: the run needs the room.
        """
        if self._is_parked:
            return
        device = pipe._execution_device  # noqa: SLF001
        stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        with torch.cuda.stream(stream):
            for prompt in prompts:
                self.embed(pipe, prompt, tokens)

    def needed(self, pipe: Any, prompts: list[str], tokens: int = TEXT_TOKENS) -> int:
        """How many of the prompts would have to be embedded."""
        dtype = _dtype(pipe)
        keys = {key_of(self._encoder, prompt, dtype, tokens) for prompt in prompts}
        return sum(1 for key in keys if self._cache.get(key, tokens) is None)

    def wait_outside(self, pipe: Any, *, is_parked: bool) -> None:
        """Decide where the encoder waits from now on, and move it there."""
        if is_parked != self._is_parked:
            device = pipe._execution_device  # noqa: SLF001 - see `embed`
            self._is_parked = is_parked
            pipe.text_encoder.to("cpu" if is_parked else device)

    def park(self, pipe: Any) -> None:
        """Move the encoder out of the device, where it is to wait outside."""
        if self._is_parked:
            pipe.text_encoder.to("cpu")

    @contextmanager
    def _at_work(self, pipe: Any, device: torch.device) -> Iterator[None]:
        if not self._is_parked:
            yield
            return
        pipe.text_encoder.to(device)
        try:
            yield
        finally:
            self.park(pipe)


def _dtype(pipe: Any) -> torch.dtype:
    """Of the embeddings: the encoder's, also while it is not there."""
    encoder = pipe.text_encoder
    return pipe.transformer.dtype if encoder is None else encoder.dtype


def _trimmed(embedding: torch.Tensor) -> torch.Tensor:
    """The rows `[n, width]` up to the last that is not zero: prompts are short, the padding long."""
    rows = embedding[0].detach().cpu()
    used = rows.ne(0).any(dim=1).nonzero()
    count = int(used[-1]) + 1 if len(used) else 0
    return rows[:count].clone()


def _padded(rows: torch.Tensor, tokens: int) -> torch.Tensor:
    return torch.cat([rows, rows.new_zeros(tokens - rows.shape[0], rows.shape[1])]).unsqueeze(0)


def _bytes(rows: torch.Tensor) -> int:
    return int(rows.numel() * rows.element_size())
