"""One rule says who may read a file that holds a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from menshen.app.settings.reader import load_settings
from menshen.app.settings.secret_files import Readers, judge_readers

OURS, THEIRS = 1000, 2000


@pytest.mark.attack("LG-9")
@pytest.mark.parametrize(
    ("mode", "group", "fixed", "readers"),
    [
        (0o600, THEIRS, False, Readers.OWNER),
        (0o400, THEIRS, True, Readers.OWNER),
        (0o440, OURS, True, Readers.GROUP),
        (0o640, OURS, True, Readers.GROUP),
        # This process can change the mode, so it is asked to.
        (0o440, OURS, False, Readers.OTHERS),
        (0o440, THEIRS, True, Readers.OTHERS),
        (0o460, OURS, True, Readers.OTHERS),
        (0o450, OURS, True, Readers.OTHERS),
        (0o444, OURS, True, Readers.OTHERS),
        (0o404, OURS, True, Readers.OTHERS),
        (0o441, OURS, True, Readers.OTHERS),
    ],
)
def test_who_can_read_a_file(mode: int, group: int, fixed: bool, readers: Readers) -> None:
    assert judge_readers(0o100000 | mode, group, {OURS, 5}, fixed=fixed) is readers


def test_each_secret_from_a_file_says_who_else_reads_it(tmp_path: Path) -> None:
    """Containers mount secrets for everybody inside: they are taken, and told."""
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef\n")
    environ = {
        "MENSHEN_SMS__SENDER": "webhook",
        "MENSHEN_SMS__WEBHOOK_URL": "https://sms.example/",
        "MENSHEN_SMS__WEBHOOK_SECRET_FILE": str(secret),
    }
    for mode, told in (
        (0o600, []),
        (0o444, [f"[sms] webhook_secret_file: {secret} can be read by others than its owner"]),
    ):
        secret.chmod(mode)
        assert [str(note) for note in load_settings(None, environ, tmp_path).notes] == told
