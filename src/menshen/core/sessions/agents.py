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


# The order matters: most browsers name those that they descend from, too.
_BROWSERS: Final = (
    (re.compile(r"MicroMessenger/", re.ASCII), "WeChat"),
    (re.compile(r"AlipayClient/", re.ASCII), "Alipay"),
    (re.compile(r"DingTalk/", re.ASCII), "DingTalk"),
    (re.compile(r"Lark/|Feishu/", re.ASCII), "Feishu"),
    (re.compile(r"aweme|BytedanceWebview", re.ASCII), "Douyin"),
    (re.compile(r"\bQQ/", re.ASCII), "QQ"),
    (re.compile(r"M?QQBrowser/", re.ASCII), "QQ Browser"),
    (re.compile(r"UCBrowser/|\bUCWEB", re.ASCII), "UC Browser"),
    (re.compile(r"Quark/", re.ASCII), "Quark"),
    (re.compile(r"baiduboxapp|BIDUBrowser", re.ASCII), "Baidu"),
    (re.compile(r"HuaweiBrowser/", re.ASCII), "Huawei Browser"),
    (re.compile(r"MiuiBrowser/", re.ASCII), "Mi Browser"),
    (re.compile(r"HeyTapBrowser/", re.ASCII), "HeyTap Browser"),
    (re.compile(r"VivoBrowser/", re.ASCII), "vivo Browser"),
    (re.compile(r"SamsungBrowser/", re.ASCII), "Samsung Internet"),
    (re.compile(r"Edg(?:A|iOS|e)?/", re.ASCII), "Edge"),
    (re.compile(r"OPR/|Opera", re.ASCII), "Opera"),
    (re.compile(r"YaBrowser/", re.ASCII), "Yandex"),
    (re.compile(r"Firefox/|FxiOS/", re.ASCII), "Firefox"),
    (re.compile(r"Chrome/|CriOS/|Chromium/", re.ASCII), "Chrome"),
    (re.compile(r"Version/[0-9.]+ (?:Mobile/[0-9A-Za-z]+ )?Safari/", re.ASCII), "Safari"),
)
_SYSTEMS: Final = (
    (re.compile(r"OpenHarmony|HarmonyOS", re.ASCII), "HarmonyOS"),
    (re.compile(r"iPad", re.ASCII), "iPadOS"),
    (re.compile(r"iPhone|iPod", re.ASCII), "iOS"),
    (re.compile(r"Android", re.ASCII), "Android"),
    (re.compile(r"Windows NT|Windows Phone", re.ASCII), "Windows"),
    (re.compile(r"CrOS", re.ASCII), "ChromeOS"),
    (re.compile(r"Mac OS X|Macintosh", re.ASCII), "macOS"),
    (re.compile(r"Linux|X11", re.ASCII), "Linux"),
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
