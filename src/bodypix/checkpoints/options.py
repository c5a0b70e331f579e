"""Which published checkpoint to load: the options of the original's `load`, and its checks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from bodypix.errors import InvalidArgumentError
from bodypix.options import path_text

_STRIDES: Final = {"MobileNetV1": (8, 16, 32), "ResNet50": (16, 32)}
_MULTIPLIERS: Final = {"MobileNetV1": (0.5, 0.75, 1.0), "ResNet50": (1.0,)}
_QUANT_BYTES: Final = (1, 2, 4)


@dataclass(frozen=True)
class LoadOptions:
    """Architecture and file of a published checkpoint (spec section 1).

    `architecture` is "MobileNetV1" or "ResNet50"; `output_stride` 8, 16 or 32 (ResNet50: 16 or
    32); `multiplier` 0.5, 0.75 or 1.0 (ResNet50: 1.0); `quant_bytes` 1, 2 or 4 bytes per weight.
    `model_url` (http(s), file URL or path of a tfjs `model.json` or a bodypix `.onnx`) takes the
    place of the published file; the other options are checked all the same. None stands for the
    default. The defaults here are the original's for a config that leaves keys out; see
    `from_arguments` for a call without any.

    Raises InvalidArgumentError (a ValueError) for the first option out of range, in the order
    architecture, output_stride, multiplier, quant_bytes, in the original's words.
    """

    architecture: str = "MobileNetV1"
    output_stride: int = 16
    multiplier: float = 1.0
    quant_bytes: int = 4
    model_url: str | None = None

    def __post_init__(self) -> None:
        if self.architecture not in tuple(_STRIDES):
            raise InvalidArgumentError(
                f"Invalid architecture {self.architecture}. Should be one of {','.join(_STRIDES)}"
            )
        self._check("output_stride", self.output_stride, _STRIDES[self.architecture])
        self._check("multiplier", self.multiplier, _MULTIPLIERS[self.architecture])
        self._check("quant_bytes", self.quant_bytes, _QUANT_BYTES)
        # 16.0 is as good as 16, as it is in JavaScript; names and JSON want it exact.
        object.__setattr__(self, "output_stride", int(self.output_stride))
        object.__setattr__(self, "multiplier", float(self.multiplier))
        object.__setattr__(self, "quant_bytes", int(self.quant_bytes))

    @classmethod
    def from_arguments(
        cls,
        architecture: str | None = None,
        output_stride: int | None = None,
        multiplier: float | None = None,
        quant_bytes: int | None = None,
        model_url: str | None = None,
    ) -> LoadOptions:
        """Options with the original's two sets of defaults.

        Nothing given: MobileNetV1 0.75 at stride 16. Something given: the multiplier of the rest
        is 1.0 (spec section 12, decision 8).
        """
        given = (architecture, output_stride, multiplier, quant_bytes, model_url)
        if all(value is None for value in given):
            return cls(multiplier=0.75)
        return cls(
            "MobileNetV1" if architecture is None else architecture,
            16 if output_stride is None else output_stride,
            1.0 if multiplier is None else multiplier,
            4 if quant_bytes is None else quant_bytes,
            None if model_url is None else path_text("model_url", model_url),
        )

    def _check(self, key: str, value: object, allowed: tuple[float, ...]) -> None:
        # `True == 1` and "1" are not what anyone means.
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or value not in allowed:
            raise InvalidArgumentError(
                f"Invalid {key} {_js(value)}. Should be one of {','.join(map(_js, allowed))} "
                f"for architecture {self.architecture}."
            )


def _js(value: object) -> str:
    """A value as JavaScript prints it: 1.0 is 1."""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)
