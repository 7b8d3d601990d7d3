"""DashScope's error codes: who can act on each. Obeys spec/dashscope.md §7.

The same codes come in error replies and in failed tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.upstream.answers import Blame, Complaint

# Lower case; a code with a dot that is not listed counts as what stands before it.
_BLAMES: Mapping[str, Blame] = MappingProxyType(
    {
        "invalidparameter": Blame.FIELD,
        "unsupportedoperation": Blame.FIELD,
        "badrequest": Blame.FIELD,
        "badrequest.toolarge": Blame.MEDIA_SIZE,
        # The file went through the vendor's own store or is a link of ours: not the caller's.
        "badrequest.inputdownloadfailed": Blame.FAULT,
        "invalidurl": Blame.MEDIA_FORMAT,
        "invalidurl.connectionrefused": Blame.FAULT,
        "invalidurl.timeout": Blame.FAULT,
        "invalidparameter.datainspection": Blame.MEDIA_FORMAT,
        "invalidfile": Blame.MEDIA_FORMAT,
        "invalidfile.size": Blame.MEDIA_SIZE,
        "invalidfile.duration": Blame.MEDIA_LENGTH,
        "invalidfile.resolution": Blame.MEDIA_SHAPE,
        "invalidfile.aspectratio": Blame.MEDIA_SHAPE,
        "invalidfile.imagesize": Blame.MEDIA_SHAPE,
        "invalidimageresolution": Blame.MEDIA_SHAPE,
        "invalidimageformat": Blame.MEDIA_FORMAT,
        "invalidimage": Blame.MEDIA_FORMAT,
        "datainspectionfailed": Blame.CONTENT,
        "ipinfringementsuspect": Blame.CONTENT,
        "arrearage": Blame.ACCOUNT,
        "invalidapikey": Blame.ACCOUNT,
        "not authorized": Blame.ACCOUNT,
        "accessdenied": Blame.ACCOUNT,
        "model.accessdenied": Blame.ACCOUNT,
        "workspace": Blame.ACCOUNT,
        "allocationquota": Blame.ACCOUNT,
        "commoditynotpurchased": Blame.ACCOUNT,
        "prepaidbilloverdue": Blame.ACCOUNT,
        "postpaidbilloverdue": Blame.ACCOUNT,
        # A path that is not there: the base URL is wrong, not the request.
        "notfound": Blame.ACCOUNT,
        "workspacenotfound": Blame.ACCOUNT,
        "modelnotfound": Blame.MODEL,
        "model.notexist": Blame.MODEL,
        "throttling": Blame.BUSY,
        "rewritefailed": Blame.FAULT,
        "modelservingerror": Blame.FAULT,
        "modelunavailable": Blame.FAULT,
        # Says nothing of how far it got.
        "internalerror": Blame.UNSURE,
        "systemerror": Blame.UNSURE,
    }
)

# Codes that mean different things by their sentence (all documented texts).
_BY_SENTENCE: tuple[tuple[str, str, Blame], ...] = (
    ("invalidparameter", "model not exist", Blame.MODEL),
    ("invalidparameter.datainspection", "unable to download", Blame.FAULT),
    ("invalidurl", "longer than", Blame.MEDIA_LENGTH),
    ("invalidurl", "file size", Blame.MEDIA_SIZE),
)

CALLER = frozenset(
    {Blame.FIELD, Blame.MEDIA_SIZE, Blame.MEDIA_SHAPE, Blame.MEDIA_LENGTH, Blame.MEDIA_FORMAT}
)
"""What the caller can put right."""


def blame_for(complaint: Complaint) -> Blame | None:
    """Whose fault a code is, or None where we do not know it."""
    code, sentence = complaint.code.lower(), complaint.message.lower()
    for known, words, blame in _BY_SENTENCE:
        if code == known and words in sentence:
            return blame
    return _BLAMES.get(code) or _BLAMES.get(code.partition(".")[0])
