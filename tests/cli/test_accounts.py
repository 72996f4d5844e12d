"""`menshen account …`, and what each deed leaves in the database."""

import pytest

from tests.cli.conftest import Menshen

PASSWORD = "correct horse battery"


def add(menshen: Menshen, *arguments: str, password: str | None = PASSWORD) -> dict[str, object]:
    extra = ("--password-stdin",) if password is not None else ()
    made: dict[str, object] = menshen("account", "add", *arguments, *extra, "--json", stdin=f"{password}\n").json()
    return made


def events(menshen: Menshen) -> list[tuple[str, object]]:
    return [(event["event"], event["reason"]) for event in menshen("audit", "--json").json()]


def test_add_and_show(menshen: Menshen) -> None:
    made = add(menshen, "--username", "Alice", "--phone", "138 0013 8000", "--email", "A@x.com", "--verified")
    assert made["number"] == 1
    assert (made["username"], made["phone"], made["email"]) == ("Alice", "+8613800138000", "a@x.com")
    assert made["phone_verified"] is made["email_verified"] is made["has_password"] is True
    for identifier in ("alice", "13800138000", "+86 138-0013-8000", "a@X.com", "#1", str(made["id"])):
        assert menshen("account", "show", identifier, "--json").json() == made
    shown = menshen("account", "show", "alice").out
    assert "+8613800138000" in shown
    assert "argon2" not in shown
    assert PASSWORD not in menshen("account", "show", "alice", "--json").out


def test_an_account_by_phone_alone_gets_a_number_for_a_name(menshen: Menshen) -> None:
    made = add(menshen, "--phone", "13800138000", "--verified", password=None)
    assert len(str(made["username"])) == 19
    assert made["has_password"] is False
    assert made["status"] == "active"


def test_a_claim_is_no_proof(menshen: Menshen) -> None:
    claimed = add(menshen, "--username", "claimer", "--email", "a@x.com")
    assert claimed["email_verified"] is False
    # Found all the same, while it stands on one account only.
    assert menshen("account", "show", "a@x.com", "--json").json()["username"] == "claimer"
    add(menshen, "--username", "second", "--email", "a@x.com")
    refused = menshen("account", "show", "a@x.com")
    assert refused.code == 1
    assert "is an unverified name of several accounts" in refused.err
    # Whoever is known to own it takes it from both.
    owner = add(menshen, "--username", "owner", "--email", "a@x.com", "--verified")
    assert menshen("account", "show", "a@x.com", "--json").json() == owner
    assert menshen("account", "show", "claimer", "--json").json()["email"] is None
    assert [event for event, _ in events(menshen)].count("account.identifier_dropped") == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--username", "alice"), "account: this username is already taken"),
        (("--username", "ALICE"), "account: this username is already taken"),
        (("--phone", "13800138000", "--verified"), "account: this phone is already taken"),
        (("--phone", "+86 13800138000"), "account: this phone is already taken"),
        (("--email", "a@x.com", "--verified"), "account: this email is already taken"),
        ((), "account needs a username, a phone or an email"),
        (("--username", "al"), "account: username has no valid form"),
        (("--username", "13800138001"), "account: username has no valid form"),
        (("--phone", "123"), "account: phone has no valid form"),
        (("--email", "nobody"), "account: email has no valid form"),
    ],
)
def test_what_is_taken_or_unusable_is_told(menshen: Menshen, arguments: tuple[str, ...], told: str) -> None:
    add(menshen, "--username", "alice", "--phone", "13800138000", "--email", "a@x.com", "--verified")
    done = menshen("account", "add", *arguments)
    assert (done.code, done.err) == (1, f"menshen: {told}\n")
    assert len([event for event, _ in events(menshen) if event == "account.registered"]) == 1


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("tiny", "the password is too short"),
        ("12345678", "the password is a common one"),
        ("Password123", "the password is a common one"),
        ("wonderland1", "the password is too similar to"),
        ("x" * 1025, "the password is longer than 1024 bytes"),
        ("", "no password was given on stdin"),
    ],
)
def test_the_password_policy_holds_here_too(menshen: Menshen, password: str, told: str) -> None:
    done = menshen("account", "add", "--username", "wonderland", "--password-stdin", stdin=f"{password}\n")
    assert done.code == 1
    assert told in done.err
    assert menshen("account", "show", "wonderland").code == 1


def test_disable_and_enable(menshen: Menshen) -> None:
    add(menshen, "--username", "alice")
    assert menshen("account", "disable", "alice", "--json").json()["status"] == "disabled"
    assert menshen("account", "disable", "alice", "--json").json()["status"] == "disabled"
    assert menshen("account", "enable", "alice", "--json").json()["status"] == "active"
    assert [event for event, _ in events(menshen)] == [
        "app.added",
        "account.registered",
        "account.disabled",
        "account.enabled",
    ]


def test_delete_frees_the_identifiers_and_keeps_the_number(menshen: Menshen) -> None:
    old = add(menshen, "--username", "alice", "--phone", "13800138000", "--verified")
    assert menshen("account", "delete", "alice", "--yes", "--json").json()["status"] == "closed"
    assert menshen("account", "show", "alice").code == 1
    assert menshen("account", "show", "#1", "--json").json()["phone"] is None
    assert menshen("account", "show", str(old["id"]), "--json").json()["status"] == "closed"
    new = add(menshen, "--username", "alice", "--phone", "13800138000", "--verified")
    assert new["number"] == 2
    for command in (("delete", "#1", "--yes"), ("disable", "#1"), ("enable", "#1"), ("reset-password", "#1")):
        assert menshen("account", *command).err == "menshen: there is no account #1\n"


def test_delete_asks_at_a_terminal_and_needs_a_word_elsewhere(menshen: Menshen) -> None:
    add(menshen, "--username", "alice", "--phone", "13800138000", "--verified")
    refused = menshen("account", "delete", "alice", "--json", stdin="y\n")
    told = "menshen: deleting an account cannot be undone: give --yes, or run it at a terminal\n"
    assert (refused.code, refused.out, refused.err) == (1, "", told)
    question = "Delete account #1 (alice, +8613800138000) for good? [y/N] "
    for answer in ("\n", "n\n", "no\n", "alice\n", " \n"):
        done = menshen("account", "delete", "alice", stdin=answer, terminal=True)
        assert (done.code, done.out, done.err) == (1, "", f"{question}menshen: nothing was deleted\n")
    assert menshen("account", "delete", "alice", terminal=True).code == 130
    assert menshen("account", "show", "alice", "--json").json()["status"] == "active"
    assert "account.closed" not in [event for event, _ in events(menshen)]
    for nobody in ("bob", "#7"):
        done = menshen("account", "delete", nobody, stdin="y\n", terminal=True)
        assert (done.code, done.err) == (1, f"menshen: there is no account {nobody}\n")
    done = menshen("account", "delete", "alice", "--json", stdin="Y\n", terminal=True)
    assert done.json()["status"] == "closed"
    assert done.err == question
    done = menshen("account", "delete", "#1", stdin="y\n", terminal=True)
    assert (done.code, done.err) == (1, "menshen: there is no account #1\n")
    assert events(menshen).count(("account.closed", "")) == 1


def test_export_prints_all_that_is_kept_and_no_secret(menshen: Menshen) -> None:
    add(menshen, "--username", "Alice", "--phone", "13800138000", "--verified")
    made = menshen("account", "export", "13800138000", "--json")
    document = made.json()
    assert made.out.count("\n") == 1
    assert [*document] == [
        "exported_at", "account", "profile", "factors", "sessions", "known_devices", "agreements", "events",
        "more_events",
    ]  # fmt: skip
    account = document["account"]
    assert (account["username"], account["phone"], account["phone_verified"]) == ("Alice", "+8613800138000", True)
    assert account["has_password"] is True
    assert "argon2" not in made.out
    assert [event["event"] for event in document["events"]] == ["account.registered", "account.exported"]
    # For people it has lines.
    read = menshen("account", "export", "alice")
    assert read.out.startswith('{\n  "exported_at": ')
    assert ("account.exported", "") in events(menshen)
    assert menshen("account", "export", "bob").err == "menshen: there is no account bob\n"
    assert menshen("account", "delete", "alice", "--yes").code == 0
    closed = menshen("account", "export", "#1", "--json").json()
    assert (closed["account"]["status"], closed["account"]["phone"], closed["sessions"]) == ("closed", "", [])


def test_reset_password_by_stdin_and_at_random(menshen: Menshen) -> None:
    add(menshen, "--username", "alice", "--phone", "13800138000", "--verified")
    told = menshen("account", "reset-password", "alice", "--password-stdin", "--json", stdin="another long one\n")
    assert "password" not in told.json()
    drawn = menshen("account", "reset-password", "alice", "--json").json()["password"]
    assert len(drawn) == 26
    assert drawn != menshen("account", "reset-password", "alice", "--json").json()["password"]
    assert events(menshen).count(("password.reset", "admin")) == 3
    notices = menshen("outbox", "--json").json()
    assert [(notice["to"], notice["template"]) for notice in notices] == [("+8613800138000", "password_changed")] * 3
    weak = menshen("account", "reset-password", "alice", "--password-stdin", stdin="alice\n")
    assert (weak.code, weak.err) == (1, "menshen: the password is too short\n")


def test_sessions_of_nobody_and_of_an_account_without_any(menshen: Menshen) -> None:
    add(menshen, "--username", "alice")
    assert menshen("account", "sessions", "alice").out == "no sessions\n"
    assert menshen("account", "sessions", "alice", "--json").json() == []
    assert menshen("account", "sessions", "bob").err == "menshen: there is no account bob\n"
    assert menshen("account", "sessions", "alice", "--end", "x").err == "menshen: account alice has no such session\n"
    assert menshen("account", "sessions", "alice", "--end-all", "--json").json() == []
    assert menshen("account", "sessions", "alice", "--end-all", "--end", "x").code == 1


def test_events_name_the_administrator_and_mask_the_person(menshen: Menshen) -> None:
    add(menshen, "--username", "alice", "--phone", "13800138000")
    registered = menshen("audit", "--account", "alice", "--since", "1h", "--json").json()[0]
    assert (registered["event"], registered["dialect"], registered["account"]) == ("account.registered", "admin", 1)
    assert registered["subject"] == "al***"
    assert menshen("audit", "--since", "2100-01-01").out == "no events\n"
    assert menshen("audit", "--since", "yesterday").code == 1
    assert menshen("audit", "--account", "nobody").code == 1
