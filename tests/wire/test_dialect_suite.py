"""The dialect contract itself: a copy of the specimen with one mistake in it does not pass."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from menshen.testing.dialect_contract import DialectContract, DialectSite
from tests.adapters.copying import Edit, copied_package

CATCH_ALL = "            reply = refuse(Denied(ProblemCode.INTERNAL), language)\n"
SHOWN = '            reply = Reply(500, reply.body, (("x-why", repr(error)),), "internal")\n'
ASK = "PasswordLogin(body.username, body.password)"
STRICT = "msgspec.convert(read_object(self.body), kind, strict=True)"
LOOSE = "msgspec.json.decode(self.body, type=kind)"
SEND = "await answer(send, reply.status, "
BEARER = 'given = headers.getlist("authorization")'
TOKEN = "token = carrier.presented(headers)"
STEP_ARM = "        case StepNeeded():\n            raise Refused(SECOND_STEP)\n"
STEP = "        case StepNeeded() as needed:\n            "
SERVE_ANYWAY = "    from menshen.testing.scripted_flows import APP\n    app = APP if isinstance(app, Denied) else app\n"
REFUSE_APP = "    if isinstance(app, Denied):\n        return refuse(app, language)\n"

# Each mistake as somebody might make it, below the test that finds it.
BREACHES: dict[str, tuple[Edit, ...]] = {
    "test_it_is_named_as_its_package": (Edit("call.py", 'DialectRules("copied_dialect"', 'DialectRules("other"'),),
    "test_its_paths_lie_below_its_prefix": (
        Edit("routing.py", 'PREFIX: Final = "/copied_dialect"', 'PREFIX: Final = "copied_dialect"'),
    ),
    "test_each_endpoint_names_a_flow_and_the_place_that_asks_it": (
        Edit("__init__.py", 'post, "login.password"', 'post, "login.me"'),
        Edit("__init__.py", 'Route("GET", "/me", profile.get', 'Route("POST", "/login", profile.get'),
        Edit("routing.py", "self.handler.__module__, line)", '"menshen.wire.weidu.calls.session", line)'),
        Edit("routing.py", "self.handler.__module__, line)", "self.handler.__module__, line * 100)"),
    ),
    "test_its_settings_have_defaults_and_say_what_they_are": (
        Edit("settings.py", "frozen=True, ", ""),
        Edit("settings.py", ", forbid_unknown_fields=True", ""),
        Edit("settings.py", 'description="Language of refusals when Accept-Language names neither."', ""),
    ),
    "test_its_document_describes_each_endpoint": (
        Edit("openapi.py", "for route in routes:", "for route in routes[:2]:"),
        Edit("openapi.py", 'f"#/components/schemas/{kind', 'f"#/schemas/{kind'),
        Edit("openapi.py", ', "default": _response("Refused.", Failure)', ""),
    ),
    "test_no_url_carries_a_token": (
        Edit("__init__.py", '"/me", ', '"/{token}", '),
        Edit("openapi.py", "return operation", 'return operation | {"parameters": [{"in": "query", "name": "Token"}]}'),
    ),
    "test_its_table_is_total": (
        Edit("problems.py", '    ProblemCode.DELIVERY_FAILED: Rule(503, "unavailable"),\n', ""),
    ),
    "test_each_reason_has_words_in_each_language": (
        Edit("texts.py", '"The device is not accepted"', '"设备信息不正确"'),
        Edit("texts.py", '"密码过于简单"', '""'),
        Edit("texts.py", "english if language == ENGLISH else chinese", "english"),
        Edit("problems.py", "Reply(rule.status, failure", "Reply(200, failure"),
    ),
    "test_a_broken_precondition_is_said_as_the_refusal_that_it_carries": (
        Edit("routing.py", "        except Problem as problem:", "        except ZeroDivisionError as problem:"),
    ),
    "test_a_fault_is_said_in_style_and_tells_nothing": (
        Edit("routing.py", CATCH_ALL, "            raise\n"),
        Edit("routing.py", CATCH_ALL, "            reply = Reply(500, Settings())\n"),
        Edit("routing.py", CATCH_ALL, CATCH_ALL + SHOWN),
    ),
    "test_an_unknown_path_is_refused": (
        Edit("routing.py", "        raise Refused(NOT_FOUND)", "        raise KeyError"),
        Edit("routing.py", "table.get(path, {})", 'table.get(path, table[PREFIX + "/login"])'),
    ),
    "test_a_verb_that_no_route_has_is_refused": (
        Edit("routing.py", '(("allow", ", ".join(sorted(verbs))),)', "()"),
        Edit("routing.py", 'verbs.get(scope["method"])', 'verbs.get(scope["method"], next(iter(verbs.values())))'),
    ),
    "test_a_disabled_app_serves_nobody": (
        Edit("routing.py", REFUSE_APP, SERVE_ANYWAY),
    ),
    "test_a_refusal_is_neither_stored_nor_sniffed": (
        Edit("envelope.py", SEND, "raw.append((b'cache-control', b'max-age=60'))\n    " + SEND),
    ),
    "test_a_login_goes_to_its_flow_and_comes_back": (
        Edit("calls/login_password.py", ASK, 'PasswordLogin("", body.password)'),
        Edit("examples.py", '"password": password', '"secret": password'),
    ),
    "test_what_is_typed_is_never_changed": (
        Edit("calls/login_password.py", ASK, "PasswordLogin(body.username, body.password.strip())"),
        Edit("calls/login_password.py", ASK, "PasswordLogin(body.username.lower(), body.password)"),
    ),
    "test_a_malformed_body_is_refused": (
        Edit("call.py", "except (NotStrictError, msgspec.ValidationError):", "except NotStrictError:"),
        Edit("call.py", STRICT, LOOSE),
    ),
    "test_a_key_that_stands_twice_is_refused": (Edit("call.py", STRICT, LOOSE),),
    "test_a_body_that_is_too_large_is_refused": (
        Edit("routing.py", 'headers.get("content-length"))', "None, 10**6)"),
        Edit("routing.py", "Refused(TOO_LARGE, _CLOSE)", "Refused(TOO_LARGE)"),
    ),
    "test_no_body_makes_any_endpoint_fail": (
        Edit("calls/profile.py", "    caller = await", "    call.body.decode()\n    caller = await"),
    ),
    "test_a_login_hands_out_a_token_that_works": (
        Edit("calls/login_password.py", "LoginAnswer(token=token,", "LoginAnswer(token=session.session_id,"),
        Edit("carrier.py", "token if scheme", "token[:-1] if scheme"),
    ),
    "test_only_a_live_token_opens_anything": (
        Edit("carrier.py", "authenticate(call.token)", "authenticate(call.token[:26])"),
    ),
    "test_a_revoked_token_is_refused_as_an_unknown_one": (
        Edit("carrier.py", "    if not isinstance(", "    if call.token and not call.token.endswith('b'):\n"
             "        raise Refused(MALFORMED)\n    if not isinstance("),
    ),
    "test_a_token_is_taken_where_the_dialect_says": (
        Edit("examples.py", "frozenset({Carrier.BEARER})", "frozenset({Carrier.BEARER, Carrier.COOKIE})"),
    ),
    "test_a_token_is_taken_nowhere_else": (
        Edit("examples.py", "frozenset({Carrier.BEARER})", "frozenset()"),
        Edit("carrier.py", BEARER, f'{BEARER} or ["Bearer " + headers.get("x-token", "")]'),
        Edit("routing.py", TOKEN, f'{TOKEN} or scope["query_string"].decode().partition("=")[2]'),
        Edit("carrier.py", 'scheme.lower() == "bearer"', "scheme"),
    ),
    "test_no_address_of_an_answer_holds_the_token": (
        Edit("calls/login_password.py", "info_of(account)))", 'info_of(account)), (("location", f"/?t={token}"),))'),
    ),
    "test_a_second_step_is_refused_in_words_and_is_no_login": (
        Edit("calls/login_password.py", STEP_ARM, STEP + "return Reply(200, Ok())\n"),
        Edit("calls/login_password.py", STEP_ARM, STEP + "raise KeyError(needed)\n"),
        Edit("calls/login_password.py", STEP_ARM, STEP + "return Reply(403, Ok())\n"),
        Edit("texts.py", '"This account asks for a second step: log in on the web"', '"请在网页登录"'),
        Edit("examples.py", 'json.loads(answer.body).get("token", "")', 'answer.header("token") or "x"'),
    ),
    "test_a_ticket_takes_no_place_of_a_token": (
        Edit("calls/login_password.py", STEP_ARM, STEP + 'raise Refused(SECOND_STEP, (("x-t", needed.ticket),))\n'),
        Edit(
            "calls/login_password.py", STEP_ARM,
            STEP + 'raise Refused(SECOND_STEP, (("location", f"/step?t={needed.ticket}"),))\n',
        ),
        Edit("problems.py", "    failure = Failure(", '    headers = (*headers, ("cache-control", "max-age=9"))\n'
             "    failure = Failure("),
    ),
    "test_a_ticket_opens_no_account": (
        Edit("carrier.py", "    if not isinstance(outcome, Authenticated):\n        raise Refused(UNAUTHENTICATED)\n"
             "    return outcome", "    return outcome"),
    ),
}  # fmt: skip
CASES = [(found_by, edit) for found_by, edits in BREACHES.items() for edit in edits]


@pytest.mark.parametrize(("found_by", "edit"), CASES, ids=lambda value: value if isinstance(value, str) else value.file)
async def test_a_mistake_is_found(found_by: str, edit: Edit, tmp_path: Path) -> None:
    with copied_package("menshen.wire.specimen", "copied_dialect", tmp_path, [edit]) as copied:
        await _demand_failure(found_by, DialectSite(copied.load().DIALECT))


async def _demand_failure(name: str, site: DialectSite) -> None:
    with pytest.raises(AssertionError):
        await _run(name, site)


async def _run(name: str, site: DialectSite) -> None:
    outcome = getattr(DialectContract(), name)(site)
    if inspect.isawaitable(outcome):
        await outcome


async def test_without_a_mistake_nothing_is_found(tmp_path: Path) -> None:
    with copied_package("menshen.wire.specimen", "copied_dialect", tmp_path) as copied:
        for name in BREACHES:
            await _run(name, DialectSite(copied.load().DIALECT))


def test_each_test_of_the_suite_is_seen_failing() -> None:
    tests = {name for name, _ in inspect.getmembers(DialectContract, inspect.isfunction) if name.startswith("test_")}
    assert tests == set(BREACHES)
