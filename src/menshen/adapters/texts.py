"""Hold the texts of messages: the built-in ones, and over them those of an operator's folder.

`<language>.toml` in the folder replaces single texts for all apps, `<app>.<language>.toml` for one app. Sections and
keys are those of the files in `src/menshen/texts`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from menshen.core.delivery.messages import Message
from menshen.core.delivery.wording import PRODUCT, Rendered, Texts, find_faults, render
from menshen.core.findings import Finding, error
from menshen.core.plain_text import plain
from menshen.texts.reader import LANGUAGES, language_of, texts_in

ALL_APPS: Final = ""
"""In place of an app's name: what holds for each app without texts of its own."""

_MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class SettledTexts:
    """Hold the texts by app and language. Implements `menshen.ports.texts.Texts`.

    It has each language of `ALL_APPS`. `findings` are errors of the folder; a text that has one is not used.
    """

    texts: Mapping[tuple[str, str], Texts]
    findings: tuple[Finding, ...] = ()

    @property
    def apps(self) -> list[str]:
        """Return the names of the apps that have a file of their own."""
        return sorted({app for app, _ in self.texts if app != ALL_APPS})

    def render(self, message: Message) -> Rendered:
        language = language_of(message.language)
        return render(self.texts.get((message.app, language)) or self.texts[ALL_APPS, language], message)


def read_texts(product: str = "", folder: str = "") -> SettledTexts:
    """Read the texts. `product` is the name of the product in all apps and languages, "" for none.

    `folder` is the path of the operator's files, "" for none. What is wrong with them is in the findings; it never
    raises.
    """
    faults = list(find_faults(PRODUCT, product, product="")) if product else []
    findings = [error("[texts] product", fault) for fault in faults]
    names = {} if faults else {PRODUCT: product}
    texts: dict[tuple[str, str], Texts] = {(ALL_APPS, one): {**texts_in(one), **names} for one in LANGUAGES}
    # The files of all apps come first: those of one app stand over them.
    for file in sorted(_files_in(folder, findings), key=lambda file: file.app):
        beneath = texts[ALL_APPS, file.language]
        texts[file.app, file.language] = file.over(beneath)
        findings.extend(file.findings)
    return SettledTexts(texts, tuple(findings))


@dataclass(frozen=True, slots=True)
class _File:
    """Read one file of the folder. `findings` are what is wrong with it."""

    path: Path
    app: str
    language: str
    findings: list[Finding] = field(default_factory=list)

    def over(self, beneath: Texts) -> Texts:
        """Return the texts with those of the file over them."""
        given, product = dict(self._known(beneath)), beneath[PRODUCT]
        # A text that names the product is good only where the product has a good name.
        if PRODUCT in given and not self._has_fault(PRODUCT, given[PRODUCT], product):
            product = given[PRODUCT]
        others = {text_id: text for text_id, text in given.items() if text_id != PRODUCT}
        good = {text_id: text for text_id, text in others.items() if not self._has_fault(text_id, text, product)}
        return {**beneath, **good, PRODUCT: product}

    def _has_fault(self, text_id: str, text: str, product: str) -> bool:
        faults = list(find_faults(text_id, text, product=product))
        self.findings.extend(error(self._place(*text_id.split(".", 1)), fault) for fault in faults)
        return bool(faults)

    def _known(self, beneath: Texts) -> Iterator[tuple[str, str]]:
        """Yield the texts whose sections and keys there are."""
        for section, table in self._tables().items():
            keys = [key.partition(".")[2] for key in beneath if key.startswith(f"{section}.")]
            if not keys:
                sections = sorted({key.partition(".")[0] for key in beneath})
                self.findings.append(error(self._place(section), f"is no section: there are {', '.join(sections)}"))
            elif not isinstance(table, dict):
                self.findings.append(error(self._place(section), "must be a section with keys"))
            else:
                for key, text in table.items():
                    if key not in keys:
                        wrong = f"is no text: there are {', '.join(keys)}"
                        self.findings.append(error(self._place(section, key), wrong))
                    elif not isinstance(text, str):
                        self.findings.append(error(self._place(section, key), "must be a text in quotes"))
                    else:
                        yield f"{section}.{key}", text

    def _tables(self) -> dict[str, Any]:
        try:
            # A device or a pipe may never end.
            if not self.path.is_file():
                raise OSError(0, "it is no file")
            with self.path.open("rb") as opened:
                content = opened.read(_MOST_BYTES + 1)
            if len(content) > _MOST_BYTES:
                raise OSError(0, f"it has more than {_MOST_BYTES // 1024} KiB")
            return tomllib.loads(content.decode("utf-8-sig"))
        except OSError as failure:
            self.findings.append(error(self._place(), f"cannot be read: {failure.strerror}"))
        except (ValueError, RecursionError) as failure:
            self.findings.append(error(self._place(), f"is not TOML: {plain(str(failure))[:200]}"))
        return {}

    def _place(self, section: str = "", key: str = "") -> str:
        """Return the name of the file, and the section and the key in it."""
        words = (str(self.path), f"[{section}]" if section else "", key)
        return plain(" ".join(word for word in words if word))[:400]


def _files_in(folder: str, findings: list[Finding]) -> Iterator[_File]:
    """Yield the files of texts. The folder and names that fit none are added to the findings."""
    if not folder:
        return
    try:
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix == ".toml")
    except (OSError, ValueError) as failure:
        why = failure.strerror if isinstance(failure, OSError) else "the path is no path"
        findings.append(error("[texts] folder", f"{plain(folder)} cannot be read: {why}"))
        return
    for path in paths:
        app, _, language = path.stem.rpartition(".")
        # "zh-CN.toml" has no app, ".zh-CN.toml" has an empty one.
        if language not in LANGUAGES or path.stem.startswith("."):
            wanted = " or ".join(f"{one}.toml" for one in LANGUAGES)
            findings.append(error(plain(str(path)), f"is no file of texts: its name ends in {wanted}"))
        else:
            yield _File(path, app, language)
