"""Builds the native dialect's objects below the task: the clip, the file, the model, times."""

from __future__ import annotations

from datetime import UTC, datetime

from kinogate.dialects.base import TaskView
from kinogate.domain.models import EngineStatus, ModelCard, Offer, TierPrice
from kinogate.domain.money import usd_text
from kinogate.domain.upload import Upload


def video(view: TaskView) -> dict[str, object] | None:
    """The clip, once there is one."""
    outcome = view.task.outcome
    if outcome is None:
        return None
    return {
        "url": view.video_url,
        "poster_url": view.poster_url,
        "thumbnail_url": view.thumbnail_url,
        "preview_url": view.preview_url,
        "spritesheet_url": view.spritesheet_url,
        "is_expired": view.is_expired,
        "size_bytes": outcome.size_bytes,
        "width": outcome.width,
        "height": outcome.height,
        "fps": outcome.fps,
        "frame_count": outcome.frame_count,
        "duration": outcome.duration_s,
        "has_audio": outcome.has_audio,
        "actual_prompt": outcome.actual_prompt,
        "prompt_by": outcome.prompt_by,
        "prompt_ms": outcome.prompt_ms,
        "fingerprint": outcome.fingerprint,
    }


def file(upload: Upload) -> dict[str, object]:
    """An upload, finished or not."""
    return {
        "id": upload.id,
        "status": "ready" if upload.is_complete else "uploading",
        "url": upload.url,
        "size_bytes": upload.size_bytes,
        "received_bytes": upload.received_bytes,
        "kind": upload.kind.value if upload.kind else None,
        "expires_at": iso(upload.expires_ms),
    }


def model(card: ModelCard) -> dict[str, object]:
    """A row of the catalogue, and who serves it."""
    spec = card.spec
    return {
        "name": spec.name,
        "aliases": list(spec.official_aliases),
        "modes": sorted(mode.value for mode in spec.modes),
        "engine": card.engine,
        "engine_modes": [mode.value for mode in card.modes],
        "engines": [_offer(offer) for offer in card.offers],
        "prices": {price.tier.value: _price(price) for price in card.prices},
        "resolutions": [tier.value for tier in spec.tiers],
        "default_resolution": spec.default_tier.value,
        "sizes": [size.star for size in spec.sizes],
        "default_size": spec.default_size.star if spec.default_size else None,
        "ratios": list(spec.ratios),
        "durations": list(spec.durations.values),
        "default_duration": spec.durations.default,
        "prompt_max": spec.prompt_max,
        "prompt_required": spec.prompt_required,
        "audio": spec.audio.value,
        "accepts_audio_file": spec.accepts_audio_file,
        "shot_type": spec.shots,
        "template": spec.template,
        "fps": spec.fps,
        "unverified": list(spec.unverified),
        "source": spec.source,
    }


def engine(status: EngineStatus) -> dict[str, object]:
    """An engine as the operator sees it."""
    return {
        "name": status.name,
        "kind": status.kind,
        "state": status.state,
        "capacity": status.capacity,
        "running": status.running,
        "failures": status.failures,
        "cools_for_s": round(status.cools_for_s, 1),
        "last_failure": status.reason,
    }


def _offer(offer: Offer) -> dict[str, object]:
    """An engine; what it costs the operator only where that is known and the caller may see it."""
    shown: dict[str, object] = {
        "name": offer.engine,
        "modes": [mode.value for mode in offer.modes],
    }
    if offer.cost_micro is not None:
        shown["cost_usd_per_s"] = usd_text(offer.cost_micro, 6)
    return shown


def _price(price: TierPrice) -> dict[str, str]:
    """US dollars a second."""
    return {
        "audio": usd_text(price.audio_micro, 6),
        "silent": usd_text(price.silent_micro, 6),
    }


def iso(ms: int | None) -> str | None:
    """Epoch milliseconds as ISO 8601 with `Z`."""
    if ms is None:
        return None
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
