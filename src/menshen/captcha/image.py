"""The image captcha of the CareyShop dialect: four characters, drawn with the `captcha` library."""

from __future__ import annotations

from captcha.image import ImageCaptcha


class ImageCaptchaArtist:
    """`menshen.ports.captcha.ImageArtist`."""

    def __init__(self) -> None:
        """Load the fonts that come with the library."""
        self._drawing = ImageCaptcha(width=160, height=60)

    def draw(self, text: str) -> bytes:
        return bytes(self._drawing.generate(text, format="png").getvalue())
