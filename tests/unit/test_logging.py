"""The log: one JSON object a line, whoever writes it."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from kinogate.telemetry import configure_logging

pytestmark = pytest.mark.usefixtures("process_as_before")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_librarys_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    logging.getLogger("some.library").warning("broken\n\x1b[31mline %s", "forged")

    (entry,) = lines(capsys)

    assert entry["event"] == "broken\n\x1b[31mline forged"
    assert (entry["level"], entry["logger"]) == ("warning", "some.library")


def test_our_own_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    structlog.get_logger("kinogate").info("task finished", task_id="a\nb")

    (entry,) = lines(capsys)

    assert (entry["event"], entry["task_id"]) == ("task finished", "a\nb")


def test_malformed_requests_do_not_fill_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("python_multipart.multipart").warning("Expected boundary character")

    assert lines(capsys) == []
