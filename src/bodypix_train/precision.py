"""Whether a device multiplies in bfloat16, or would only imitate it."""

from __future__ import annotations

import logging

import torch

log = logging.getLogger(__name__)


def in_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether a schedule's ``precision`` means bfloat16 on ``device``.

    A processor without instructions for it (most without AVX-512) imitates bfloat16, and a step
    takes many times as long as in float32: there "bf16" means float32, and the log says so.
    """
    if precision != "bf16":
        return False
    if device.type != "cpu":
        return True
    # Builds without oneDNN have no such operator.
    if torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return True
    log.warning("this processor would only imitate bfloat16: training in float32 instead")
    return False
