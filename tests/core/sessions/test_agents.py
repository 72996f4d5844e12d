"""Browsers and systems in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen.core.plain_text import is_plain
from menshen.core.sessions.agents import Kind, describe_agent, device_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT}"
ANDROID = f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT}"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
CHROME = "Chrome/130.0.0.0"

KNOWN = [
    (f"{WINDOWS} {CHROME} Safari/537.36", "Chrome, Windows", Kind.DESKTOP),
    (f"{WINDOWS} {CHROME} Safari/537.36 Edg/130.0.0.0", "Edge, Windows", Kind.DESKTOP),
    (f"{WINDOWS} {CHROME} Safari/537.36 OPR/115.0.0.0", "Opera, Windows", Kind.DESKTOP),
    (f"{MAC} {WEBKIT} {CHROME} Safari/537.36", "Chrome, macOS", Kind.DESKTOP),
    (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", "Safari, macOS", Kind.DESKTOP),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox, Linux", Kind.DESKTOP),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} {CHROME} Safari/537.36", "Chrome, ChromeOS", Kind.DESKTOP),
    (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari, iOS", Kind.PHONE),
    (f"{IPHONE} CriOS/130.0.0.0 Mobile/15E148 Safari/604.1", "Chrome, iOS", Kind.PHONE),
    (f"{IPHONE} FxiOS/128.0 Mobile/15E148 Safari/605.1.15", "Firefox, iOS", Kind.PHONE),
    (f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.50(0x18003) NetType/WIFI", "WeChat, iOS", Kind.PHONE),
    (f"{IPHONE} Mobile/15E148 AlipayClient/10.6.0 Language/zh-Hans", "Alipay, iOS", Kind.PHONE),
    (f"{ANDROID} {CHROME} Mobile Safari/537.36", "Chrome, Android", Kind.PHONE),
    (f"{ANDROID} Version/4.0 {CHROME} MQQBrowser/15.0 Mobile Safari/537.36", "QQ Browser, Android", Kind.PHONE),
    (f"{ANDROID} Version/4.0 {CHROME} Mobile Safari/537.36 QQ/9.0", "QQ, Android", Kind.PHONE),
    (f"{ANDROID} {CHROME} UCBrowser/16.0 Mobile Safari/537.36", "UC Browser, Android", Kind.PHONE),
    (f"{ANDROID} {CHROME} Quark/7.0 Mobile Safari/537.36", "Quark, Android", Kind.PHONE),
    (f"{ANDROID} {CHROME} Mobile Safari/537.36 HuaweiBrowser/15.0", "Huawei Browser, Android", Kind.PHONE),
    (f"{ANDROID} {CHROME} Mobile Safari/537.36 XiaoMi/MiuiBrowser/18.0", "Mi Browser, Android", Kind.PHONE),
    (f"{ANDROID} SamsungBrowser/26.0 {CHROME} Mobile Safari/537.36", "Samsung Internet, Android", Kind.PHONE),
    (f"Mozilla/5.0 (Linux; Android 13; SM-X710) {WEBKIT} {CHROME} Safari/537.36", "Chrome, Android", Kind.TABLET),
    ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
     "Safari, iPadOS", Kind.TABLET),
    (f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {WEBKIT} {CHROME} Safari/537.36", "Chrome, HarmonyOS", Kind.PHONE),
    ("curl/8.5.0", "", Kind.PROGRAM),
    ("okhttp/4.12.0", "", Kind.PROGRAM),
    ("", "", Kind.PROGRAM),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "kind"), KNOWN)
def test_a_browser_is_known(text: str, name: str, kind: Kind) -> None:
    agent = describe_agent(text)
    assert (agent.name, agent.kind) == (name, kind)


@given(st.text(max_size=2000))
def test_nothing_of_the_client_comes_out(text: str) -> None:
    device = device_of(text)
    assert is_plain(device.name)
    assert len(device.name) < 64
    assert device.device_id == ""
