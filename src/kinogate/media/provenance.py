"""C2PA: signing a finished clip, and reading what a signed one says. Needs the extra `c2pa`.

Signing comes last: any later change of the file breaks the signature. What the claim says about the
source follows IPTC's digital source types: a drawn preview is `algorithmicMedia` and never claims
to come from a trained model.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

import kinogate
from kinogate.domain.errors import ErrorCode, InternalError

CHAIN_FILE: Final = "chain.pem"
KEY_FILE: Final = "key.pem"
_SOURCES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_DEV_DAYS: Final = 825
_OFFLINE: Final = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
"""A file must not make its reader call anybody."""

_EXTRA_TEXT: Final = "C2PA needs the extra: pip install 'kinogate[c2pa]'."


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Where certificate chain and private key lie (PEM), and which algorithm they are for.

    Attributes:
        folder: Holds `chain.pem`, the signer's certificate first, and `key.pem`.
        algorithm: `es256`, `es384`, `ps256` or `ed25519`, as C2PA names it.
    """

    folder: str
    algorithm: str = "es256"


def has_c2pa() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("c2pa") is not None


def require_extra() -> None:
    """Refuse to go on without the extra.

    Raises:
        InternalError: UNAVAILABLE, with what to install.
    """
    _module("c2pa")


def sign_clip(clip: Path, out: Path, signer: Signer, *, is_algorithmic: bool) -> None:
    """Write `out`, a copy of the MP4 `clip` with a signed manifest.

    Args:
        clip: Complete, with its tags; it is not changed.
        out: Replaced if it is there.
        signer: Chain and key.
        is_algorithmic: Whether the clip was drawn by algorithms and not by a trained model.

    Raises:
        InternalError: UNAVAILABLE, when the extra or the key is missing or does not fit.
    """
    c2pa = _module("c2pa")
    kind = "algorithmicMedia" if is_algorithmic else "trainedAlgorithmicMedia"
    agent = {"name": "Kinogate", "version": kinogate.__version__}
    manifest = {
        "claim_generator_info": [agent],
        "format": "video/mp4",
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "softwareAgent": agent,
                            "digitalSourceType": _SOURCES + kind,
                        }
                    ]
                },
            }
        ],
    }
    folder = Path(signer.folder)
    try:
        info = c2pa.C2paSignerInfo(
            alg=signer.algorithm.encode(),
            sign_cert=(folder / CHAIN_FILE).read_bytes(),
            private_key=(folder / KEY_FILE).read_bytes(),
            ta_url=None,
        )
        out.unlink(missing_ok=True)
        with (
            c2pa.Signer.from_info(info) as key,
            c2pa.Builder(msgspec.json.encode(manifest).decode()) as builder,
        ):
            builder.sign_file(str(clip), str(out), key)
    except (c2pa.C2paError, OSError, ValueError) as exc:
        out.unlink(missing_ok=True)
        raise InternalError(ErrorCode.UNAVAILABLE, "The clip could not be signed (C2PA).") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a C2PA manifest says.

    Attributes:
        state: `Valid`, `Trusted` or `Invalid`; `Valid` leaves open who signed.
        issuer: Organisation of the signer's certificate, or "".
        generator: The software that made the claim, or "".
        source_type: Last part of the digital source type, or "".
        problems: Codes of what the check found, such as `signingCredential.untrusted`.
    """

    state: str
    issuer: str
    generator: str
    source_type: str
    problems: tuple[str, ...]


def read_credentials(clip: Path) -> Credentials | None:
    """What the file's manifest says, or None when it has none.

    Raises:
        InternalError: UNAVAILABLE, when the extra is missing.
    """
    c2pa = _module("c2pa")
    try:
        with (
            c2pa.Context.from_dict(_OFFLINE) as context,
            c2pa.Reader(str(clip), context=context) as reader,
        ):
            report = msgspec.json.decode(reader.json(), type=dict[str, Any])
    except c2pa.C2paError:
        return None
    active = report.get("manifests", {}).get(report.get("active_manifest"), {})
    signature = active.get("signature_info", {})
    generators = active.get("claim_generator_info") or [{}]
    return Credentials(
        state=str(report.get("validation_state", "Invalid")),
        issuer=str(signature.get("issuer", "")),
        generator=" ".join(
            str(generators[0].get(name, "")) for name in ("name", "version")
        ).strip(),
        source_type=_source_type(active),
        problems=tuple(str(item.get("code")) for item in report.get("validation_status", [])),
    )


def _source_type(manifest: dict[str, Any]) -> str:
    # Any: a manifest is foreign JSON; whatever does not fit reads as "".
    for assertion in manifest.get("assertions", []):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            for action in assertion.get("data", {}).get("actions", []):
                if kind := action.get("digitalSourceType"):
                    return str(kind).rpartition("/")[2]
    return ""


def ensure_dev_signer(folder: Path) -> Signer:
    """A self-made chain and key in `folder`, made on the first call; for development only.

    Readers call what it signs `Valid` and its signer untrusted, which is the truth.

    Raises:
        InternalError: UNAVAILABLE, when the extra is missing.
    """
    require_extra()  # better said at start than in the first task
    if not (folder / CHAIN_FILE).exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        chain, key = _make_chain()
        fd = os.open(folder / KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(key)
        (folder / CHAIN_FILE).write_bytes(chain)  # last: its presence says that both are there
    return Signer(folder=str(folder))


def _make_chain() -> tuple[bytes, bytes]:
    """Signer's certificate and its root as PEM, and the signer's key."""
    x509 = _module("cryptography.x509")
    ec = _module("cryptography.hazmat.primitives.asymmetric.ec")
    hashes = _module("cryptography.hazmat.primitives.hashes")
    pem = _module("cryptography.hazmat.primitives.serialization")
    oid = x509.oid
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip

    def named(text: str) -> Any:
        return x509.Name(
            [
                x509.NameAttribute(oid.NameOID.ORGANIZATION_NAME, "Kinogate development"),
                x509.NameAttribute(oid.NameOID.COMMON_NAME, text),
            ]
        )

    def certificate(name: str, public: Any, *, is_root: bool) -> Any:
        now = datetime.now(UTC)
        signs = (
            {"key_cert_sign": True, "crl_sign": True} if is_root else {"digital_signature": True}
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("Kinogate development root"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=_DEV_DAYS))
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**(usage | signs)), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
                critical=False,
            )
        )
        if not is_root:
            wanted = x509.ExtendedKeyUsage([oid.ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(wanted, critical=False)
        return builder.sign(root_key, hashes.SHA256())

    root = certificate("Kinogate development root", root_key.public_key(), is_root=True)
    leaf = certificate("Kinogate development signer", key.public_key(), is_root=False)
    chain = b"".join(item.public_bytes(pem.Encoding.PEM) for item in (leaf, root))
    secret = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    return chain, secret


def _module(name: str) -> Any:
    # Any: the extra is not installed where this is type-checked.
    try:
        return importlib.import_module(name)
    except ImportError as exc:
        raise InternalError(ErrorCode.UNAVAILABLE, _EXTRA_TEXT) from exc
