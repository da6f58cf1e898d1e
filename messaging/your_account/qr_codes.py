from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import qrcode
from qrcode.image.svg import SvgPathImage


def draw_qr_code(text: str) -> str:
    """Return a QR code as the address of an image, which the content security policy allows."""
    file = BytesIO()
    qrcode.make(text, image_factory=SvgPathImage).save(file)
    return f"data:image/svg+xml;base64,{b64encode(file.getvalue()).decode()}"
