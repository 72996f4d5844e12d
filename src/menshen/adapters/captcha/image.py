"""Draw the image captcha of the CareyShop dialect: four characters, by the `captcha` library."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from captcha.image import ImageCaptcha


class ImageCaptchaArtist:
    """Implement `menshen.ports.captcha.ImageArtist`."""

    @cached_property
    def _drawing(self) -> ImageCaptcha:
        # Loaded with its image library and fonts at the first image, because most installations draw none.
        from captcha.image import ImageCaptcha

        return ImageCaptcha(width=160, height=60)

    def draw(self, text: str) -> bytes:
        return bytes(self._drawing.generate(text, format="png").getvalue())
