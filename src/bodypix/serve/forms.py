"""The picture in a form (`multipart/form-data`, RFC 7578), taken out while the body arrives."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from bodypix.serve.problems import Refused


class Form:
    """A form of one file. Its name, its type and the name of its field do not matter.

    Raises:
        Refused: 400, the content type names no boundary.
    """

    def __init__(self, content_type: str) -> None:
        self._file: bytearray | None = None
        self._complete = False
        self._header, self._value = b"", b""
        self._disposition = b""
        _, options = parse_options_header(content_type)
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._add_header,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._check_part,
                    "on_part_data": self._add_data,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _broken(error) from error

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            Refused: 400 no form, or more than one file; 422 something other than a file.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _broken(error) from error

    def file(self) -> bytes:
        """The content of the file, once the body is at its end.

        Raises:
            Refused: 400, the form has no file or ends too early.
        """
        if self._file is None:
            raise Refused(400, "image: expected one file in the form, got none.")
        if not self._complete:
            raise Refused(400, "The form ends too early: its last boundary is missing.")
        return bytes(self._file)

    def _begin(self) -> None:
        self._disposition = b""

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _check_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" not in options:
            name = options.get(b"name", b"").decode("utf-8", "replace")
            raise Refused(
                422,
                f"{name or 'form'}: expected one file and nothing else, and a file has a filename; "
                "options go into the query, as in /v1/segment?output=mask.",
            )
        if self._file is not None:
            raise Refused(400, "image: expected one file in the form, got several.")
        self._file = bytearray()

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        assert self._file is not None
        self._file += data[start:end]

    def _end(self) -> None:
        self._complete = True


def _broken(error: FormParserError) -> Refused:
    return Refused(400, f"The form cannot be read: {error}.")
