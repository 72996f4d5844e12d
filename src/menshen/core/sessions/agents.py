"""Say in words which browser and which system a User-Agent header names.

The header is the client's own word: it proves nothing, and only words of closed lists leave this module.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from menshen.core.sessions.devices import Device

_MOST: Final = 512


class Kind(StrEnum):
    """Name the kinds of devices."""

    PHONE = "phone"
    TABLET = "tablet"
    DESKTOP = "desktop"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Agent:
    """Hold what a header says: names of products, "" for one that is not known."""

    browser: str
    system: str
    kind: Kind

    @property
    def name(self) -> str:
        """Return both as people read them ("Chrome, Windows"), "" for neither."""
        return ", ".join(filter(None, (self.browser, self.system)))


def _marks(*pairs: tuple[str, str]) -> Sequence[tuple[re.Pattern[str], str]]:
    return [(re.compile(mark, re.ASCII), name) for mark, name in pairs]


# The order matters: most browsers name those that they descend from, too.
_BROWSERS: Final = _marks(
    (r"MicroMessenger/", "WeChat"),
    (r"AlipayClient/", "Alipay"),
    (r"DingTalk/", "DingTalk"),
    (r"Lark/|Feishu/", "Feishu"),
    (r"aweme|BytedanceWebview", "Douyin"),
    (r"\bQQ/", "QQ"),
    (r"M?QQBrowser/", "QQ Browser"),
    (r"UCBrowser/|\bUCWEB", "UC Browser"),
    (r"Quark/", "Quark"),
    (r"baiduboxapp|BIDUBrowser", "Baidu"),
    (r"HuaweiBrowser/", "Huawei Browser"),
    (r"MiuiBrowser/", "Mi Browser"),
    (r"HeyTapBrowser/", "HeyTap Browser"),
    (r"VivoBrowser/", "vivo Browser"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Edg(?:A|iOS|e)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"YaBrowser/", "Yandex"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Version/[0-9.]+ (?:Mobile/[0-9A-Za-z]+ )?Safari/", "Safari"),
)
_SYSTEMS: Final = _marks(
    (r"OpenHarmony|HarmonyOS", "HarmonyOS"),
    (r"iPad", "iPadOS"),
    (r"iPhone|iPod", "iOS"),
    (r"Android", "Android"),
    (r"Windows NT|Windows Phone", "Windows"),
    (r"CrOS", "ChromeOS"),
    (r"Mac OS X|Macintosh", "macOS"),
    (r"Linux|X11", "Linux"),
)
_TABLET: Final = re.compile(r"iPad|Tablet", re.ASCII)
_MOBILE: Final = re.compile(r"Mobile|Phone", re.ASCII)


def describe_agent(user_agent: str) -> Agent:
    """Return what a User-Agent header says. It never raises, and looks at the first 512 characters."""
    text = user_agent[:_MOST]
    browser, system = _first(_BROWSERS, text), _first(_SYSTEMS, text)
    return Agent(browser, system, _kind(text, browser, system))


def device_of(user_agent: str) -> Device:
    """Return the device of a browser's session. It has no id: a header identifies none."""
    agent = describe_agent(user_agent)
    return Device(model=agent.system, name=agent.name)


def _first(marks: Sequence[tuple[re.Pattern[str], str]], text: str) -> str:
    return next((name for mark, name in marks if mark.search(text)), "")


def _kind(text: str, browser: str, system: str) -> Kind:
    if not browser:
        return Kind.PROGRAM
    if _TABLET.search(text) or (system == "Android" and not _MOBILE.search(text)):
        return Kind.TABLET
    return Kind.PHONE if _MOBILE.search(text) or system in {"iOS", "Android"} else Kind.DESKTOP
