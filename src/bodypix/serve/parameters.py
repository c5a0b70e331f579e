"""The options of `POST /v1/segment`, checked by pydantic and described in the OpenAPI document."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bodypix.geometry import resolution_share
from bodypix.options import MAX_REFINE_STEPS

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Output(Enum):
    """What comes back."""

    MASK = "mask"
    PROBABILITY = "probability"
    PARTS = "parts"
    PART_IDS = "part-ids"
    PEOPLE = "people"
    CUTOUT = "cutout"
    JSON = "json"


OUTPUTS: Final = {
    Output.MASK: "grey PNG: 255 where a person is, else 0",
    Output.PROBABILITY: "grey PNG: 0 to 255, how sure the network is, before the threshold",
    Output.PARTS: "colour PNG: the 24 parts in their colours on white",
    Output.PART_IDS: "grey PNG: 0 where nobody is, else part id + 1",
    Output.PEOPLE: "grey PNG: 0 where nobody is, else 1 for the first person, 2 for the next, ...",
    Output.CUTOUT: "RGBA PNG: people on transparent ground",
    Output.JSON: "masks as COCO run-length codes, boxes, scores, poses",
}


def _check_resolution(text: str) -> str:
    share_of(text)
    return text


def share_of(text: str) -> float:
    """An internal resolution, a name or a number, as a number.

    Raises:
        InvalidArgumentError: neither a name nor a number from 0.1 to 2.
    """
    try:
        value: float | str = float(text)
    except ValueError:
        value = text
    return resolution_share(value)  # type: ignore[arg-type]  # checks the word itself


class Parameters(BaseModel):
    """Query parameters; names and defaults are those of the Python methods."""

    model_config = ConfigDict(extra="forbid")

    output: Annotated[
        Output,
        Field(description="; ".join(f"`{kind.value}`: {text}" for kind, text in OUTPUTS.items())),
    ] = Output.MASK
    parts: Annotated[bool, Field(description="`json`: the 24 parts, a code for each.")] = False
    people: Annotated[
        bool, Field(description="`json`: tell people apart, with the pose of each.")
    ] = False
    poses: Annotated[bool, Field(description="`json`: all poses in the picture.")] = False
    internal_resolution: Annotated[
        str,
        AfterValidator(_check_resolution),
        Field(
            description="Size at which the network works: `low`, `medium`, `high`, `full`, or a "
            "factor from 0.1 to 2. Larger is finer and slower.",
            examples=["medium", "0.5"],
        ),
    ] = "medium"
    segmentation_threshold: Annotated[
        Share, Field(description="A pixel is a person above this probability.")
    ] = 0.7
    flip_horizontal: Annotated[
        bool,
        Field(description="The picture is mirrored: left and right are given as the person's own."),
    ] = False
    max_detections: Annotated[int, Field(ge=1, le=100, description="Most people to look for.")] = 10
    score_threshold: Annotated[Share, Field(description="Lowest score of a pose.")] = 0.4
    nms_radius: Annotated[
        float,
        Field(
            gt=0,
            le=1000,
            allow_inf_nan=False,
            description="Two poses' roots are at least so many network pixels apart.",
        ),
    ] = 20.0
    min_keypoint_score: Annotated[
        Share, Field(description="Keypoints below it do not help pixels to find their person.")
    ] = 0.3
    refine_steps: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_REFINE_STEPS,
            description="How often a pixel's way to its person's keypoints is refined.",
        ),
    ] = 10
    soft: Annotated[
        bool,
        Field(description="`cutout`: edges from the probability, not from the threshold."),
    ] = False
    colors: Annotated[
        Literal["rainbow", "warm", "spectral"], Field(description="`parts`: the colour scale.")
    ] = "rainbow"

    @model_validator(mode="after")
    def _fit_the_output(self) -> Parameters:
        only = {
            "parts": Output.JSON,
            "people": Output.JSON,
            "poses": Output.JSON,
            "soft": Output.CUTOUT,
            "colors": Output.PARTS,
        }
        for name, output in only.items():
            default = type(self).model_fields[name].default
            if getattr(self, name) != default and self.output is not output:
                raise PydanticCustomError(
                    "unfit",
                    "expected only with output={expected}, got it with output={got}.",
                    {"field": name, "expected": output.value, "got": self.output.value},
                )
        return self
