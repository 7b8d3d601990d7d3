"""What goes wrong on a device, in the engine's own words; the port tells them by these sentences.

No torch: the API process imports this as well as the child.
"""

from __future__ import annotations

from kinogate.domain.errors import ErrorCode, InternalError

OUT_OF_MEMORY = "The device's memory is too small for this clip."
DEVICE_FAULT = "The device reported a fault during the run."
WEIGHTS_TOO_LARGE = "The device's memory is too small for these weights, however they are held."
STILL_OUT_OF_MEMORY = (
    "The device's memory is too small for this clip, also with tiles and with weights moved out."
)


class OutOfMemory(InternalError):
    """The device's memory did not suffice; the next rung may do with less."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.ENGINE_FAILED, OUT_OF_MEMORY)


class DeviceFault(InternalError):
    """An illegal access, an ECC error or a lost device: the process cannot be used again."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.ENGINE_FAILED, DEVICE_FAULT)


def was_out_of_memory(error: InternalError) -> bool:
    """Whether a child has failed for want of memory on the device."""
    return error.code is ErrorCode.ENGINE_FAILED and error.message == OUT_OF_MEMORY
