"""Pages travel packed by gzip; style sheets and scripts are packed once, elsewhere.

A page holds what its reader typed beside the session's form token, and the packed length tells how
alike they are (BREACH). So each packed page is longer by a random number of bytes, in the place
where gzip keeps a file's name.
"""

import gzip
import secrets
import string

from flask import Flask, Response, request

PACKED_BYTES_MIN = 1000
LEVEL = 5
PADDING_LENGTH_MAX = 100

_HEADER_LENGTH = 10
_FLAGS = 3
_NAME_FOLLOWS = 8


def install(app: Flask) -> None:
    """Pack every page for browsers that can unpack it."""
    app.after_request(_pack)


def _pack(response: Response) -> Response:
    if response.mimetype != "text/html" or response.is_streamed:
        return response
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if len(body) >= PACKED_BYTES_MIN and request.accept_encodings["gzip"] > 0:
        response.set_data(_padded(gzip.compress(body, LEVEL, mtime=0)))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _padded(packed: bytes) -> bytes:
    """The same with a file's name of random length in its header, which unpacking leaves out."""
    name = "".join(secrets.choice(string.ascii_letters) for _ in range(_length())).encode()
    header = bytearray(packed[:_HEADER_LENGTH])
    header[_FLAGS] |= _NAME_FOLLOWS
    return bytes(header) + name + b"\0" + packed[_HEADER_LENGTH:]


def _length() -> int:
    return 1 + secrets.randbelow(PADDING_LENGTH_MAX)
