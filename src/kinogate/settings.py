"""Every setting once: name, type, default, unit and what it does.

Read by `app` and `cli` only; everything else receives plain arguments. Precedence: defaults <
TOML file < environment (`KINOGATE_…`) < flags.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
)

from kinogate.config import TABLES, read_file
from kinogate.service.labels import LabelPolicy, Labels, LabelSpan

_MIB = 1024 * 1024


class Settings(BaseSettings):
    """The server's settings; unknown names in a file are errors."""

    model_config = SettingsConfigDict(env_prefix="KINOGATE_", extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(
        Path("~/.local/share/kinogate"),
        description="Database, files and secrets live here.",
    )
    public_url: str = Field(
        "", description="Origin of every URL we hand out; default http://HOST:PORT."
    )
    database_url: str = Field(
        "",
        description="sqlite:///PATH or postgresql+psycopg://…; default a file in data_dir.",
    )
    storage_url: str = Field("", description="file:///DIR; default a folder in data_dir.")
    admin_key: SecretStr = Field(
        SecretStr(""),
        description="A key in our format to install as the admin's at start.",
    )
    simulate: bool = Field(
        default=False,
        description="Lets the X-Kinogate-Simulate header act (design for tests).",
    )
    insecure: bool = Field(
        default=False,
        description="Serves without keys; refused on an address beyond loopback.",
    )
    fetch_allow_hosts: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        description="host[:port] entries that the fetch guard lets through.",
    )
    cors_origins: Annotated[frozenset[str], NoDecode] = Field(
        frozenset({"*"}), description="Origins that browsers may call the API from."
    )
    trusted_proxies: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="Addresses whose X-Forwarded-* headers count."
    )
    dashscope_prefixes: Annotated[tuple[str, ...], NoDecode] = Field(
        ("", "/qwen", "/wan", "/alibailian", "/proxy/wan"),
        description="Path prefixes that the DashScope dialect is served under.",
    )
    slots: int = Field(
        2,
        ge=1,
        le=64,
        description="Tasks that an engine which computes here runs at a time; the rest wait.",
    )
    task_timeout_s: int = Field(900, ge=10, description="Longest run of one task, seconds.")
    max_body_bytes: int = Field(64 * _MIB, ge=1024, description="Largest request body, bytes.")
    max_upload_bytes: int = Field(100 * _MIB, ge=1, description="Largest uploaded file, bytes.")
    result_ttl_s: int = Field(86_400, ge=60, description="Life of a result file, seconds.")
    record_ttl_s: int = Field(
        30 * 86_400, ge=0, description="How long a record outlives its file, seconds."
    )
    wait_timeout_s: int = Field(
        300,
        ge=1,
        le=3600,
        description="Longest blocking create (vtrix generation/sync), seconds.",
    )
    drain_s: int = Field(10, ge=0, description="Grace for running tasks at shutdown, seconds.")
    prompt_base_url: str = Field(
        "",
        description="OpenAI-compatible chat endpoint that rewrites prompts, such as "
        "http://127.0.0.1:11434/v1; the built-in rewriter when empty.",
    )
    prompt_model: str = Field("", description="Chat model that rewrites prompts.")
    prompt_api_key: SecretStr = Field(SecretStr(""), description="Key of the chat endpoint.")
    prompt_sees_images: bool = Field(
        default=False, description="Whether the chat model is shown input images."
    )
    prompt_budget_s: float = Field(
        5.0, gt=0, le=60, description="Longest time for rewriting one prompt, seconds."
    )
    moderation_words_file: str = Field(
        "", description="File of refused phrases, one a line; the built-in list when empty."
    )
    moderation_base_url: str = Field(
        "", description="OpenAI-compatible endpoint whose /moderations judges prompts and pictures."
    )
    moderation_model: str = Field(
        "", description="Model that the moderation endpoint is asked for."
    )
    moderation_api_key: SecretStr = Field(
        SecretStr(""), description="Key of the moderation endpoint."
    )
    moderation_required: bool = Field(
        default=True,
        description="Whether a task fails when the moderation endpoint cannot be asked.",
    )
    moderation_hook: str = Field(
        "", description="Python function MODULE:FUNCTION that judges prompts, images and results."
    )
    allow_unfiltered: bool = Field(
        default=False, description="Whether safety_filter: false switches moderation off."
    )
    labels: Labels = Field(
        Labels.IMPLICIT,
        description="Marks on results: off, implicit (metadata) or full (a visible one too).",
    )
    label_span: LabelSpan = Field(
        LabelSpan.START,
        description="How long the visible label of labels = full is seen: start (2 s) or "
        "throughout.",
    )
    c2pa: str = Field(
        "off",
        description="C2PA signatures: off, dev (self-made certificate) or a folder with chain.pem "
        "and key.pem; needs the extra c2pa.",
    )
    c2pa_algorithm: Literal["es256", "es384", "ps256", "ed25519"] = Field(
        "es256", description="Algorithm of the configured C2PA key."
    )
    log_level: str = Field("info", description="debug, info, warning or error.")

    @field_validator("fetch_allow_hosts", "cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_set(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("dashscope_prefixes", mode="before")
    @classmethod
    def _split_prefixes(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(","))
        return value

    @model_validator(mode="after")
    def _complete_endpoints(self) -> Self:
        if self.prompt_base_url and not self.prompt_model:
            raise ValueError("prompt_base_url needs prompt_model")
        if self.moderation_hook and ":" not in self.moderation_hook:
            raise ValueError("moderation_hook must be MODULE:FUNCTION")
        return self

    @property
    def label_policy(self) -> LabelPolicy:
        """What is marked, and for how long."""
        return LabelPolicy(labels=self.labels, span=self.label_span)

    @property
    def database(self) -> str:
        """The database URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.expanduser() / 'kinogate.db'}"

    @property
    def blob_dir(self) -> Path:
        """Folder of the local blob store."""
        if self.storage_url:
            return Path(self.storage_url.removeprefix("file://")).expanduser()
        return self.data_dir.expanduser() / "blobs"

    @property
    def origin(self) -> str:
        """The public origin, with the default filled in; no trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        shown = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104
        return f"http://{shown}:{self.port}"


def load_settings(config: Path | None, **flags: object) -> Settings:
    """Settings from all sources; a flag that is None counts as not given.

    The file's tables of engines, routes and prices are `config.read_setup`'s.

    Raises:
        pydantic.ValidationError: A value or a name is wrong.
        OSError: The file cannot be read.
        tomllib.TOMLDecodeError: The file is not TOML.
        BadConfig: The file is not UTF-8.
    """
    from_file = {name: value for name, value in read_file(config).items() if name not in TABLES}
    from_env = EnvSettingsSource(Settings)()
    given = {name: value for name, value in flags.items() if value is not None}
    return Settings(**{**from_file, **from_env, **given})


def reason_of(error: Exception) -> str:
    """What is wrong with a configuration, in one line without the values given."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{where}: {first['msg']}" if where else str(first["msg"])
    return str(error)
