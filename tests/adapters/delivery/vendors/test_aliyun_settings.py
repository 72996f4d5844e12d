"""What `menshen check` finds in the settings of Aliyun's senders."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from menshen.adapters.delivery.sms import aliyun, aliyun_intl, aliyun_pnvs
from menshen.core.delivery.messages import Template
from menshen.testing.plugin_rules import demand_settings, settings_of
from tests.adapters.delivery.vendors.test_aliyun import OWN, TYPES


def found(module: ModuleType, **more: Any) -> set[str]:
    settings = settings_of(module.Settings, {**OWN[module], **more})
    findings = list(settings.find_problems())  # type: ignore[attr-defined]
    # A finding is shown: neither half of the key is in it.
    assert not [one for one in findings if "FAKEKEY" in str(one) or "FakeSecret" in str(one)]
    return {finding.key for finding in findings}


@TYPES
def test_the_settings_of_the_tests_have_no_problem(module: ModuleType) -> None:
    assert found(module) == set()
    demand_settings(module.Settings, OWN[module])


@TYPES
@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({"access_key_id": ""}, {"access_key_id"}),
        ({"access_key_id": "LTAI FAKEKEY"}, {"access_key_id"}),
        ({"access_key_id": "FAKEKEY,x"}, {"access_key_id"}),
        ({"access_key_id": "FAKEKEY\r\nx: y"}, {"access_key_id"}),
        ({"access_key_id": "FAKEKEY号"}, {"access_key_id"}),
        ({"access_key_id": "A!+-~z"}, set()),
        ({"access_key_secret": ""}, {"access_key_secret"}),
        ({"sign_name": ""}, {"sign_name"}),
        ({"endpoint": "dysmsapi.aliyuncs.com"}, {"endpoint"}),
        ({"endpoint": "http://dysmsapi.aliyuncs.com"}, {"endpoint"}),
        ({"endpoint": "https://dysmsapi.aliyuncs.com/path"}, {"endpoint"}),
        ({"endpoint": "https://dysmsapi.aliyuncs.com?x=1"}, {"endpoint"}),
        ({"endpoint": "https://dysmsapi.aliyuncs.com/#x"}, {"endpoint"}),
        ({"endpoint": "https://u:p@dysmsapi.aliyuncs.com"}, {"endpoint"}),
        ({"endpoint": "https://dysmsapi.eu-central-1.aliyuncs.com/"}, set()),
        ({"endpoint": "http://127.0.0.1:8000"}, set()),
        ({"parameters": ["{code}"]}, {"parameters"}),
        ({"notice_parameters": ["{detail}"]}, {"notice_parameters"}),
        ({"templates": {"code_lgoin": "SMS_1"}}, {"templates"}),
    ],
)
def test_what_is_wrong_is_found(module: ModuleType, more: dict[str, Any], keys: set[str]) -> None:
    assert found(module, **more) == keys


@pytest.mark.parametrize(
    ("parameters", "keys"),
    [
        ({"code": "{code}", "min": "{minutes}"}, set()),
        ({"code": "{code}", "min": "5"}, set()),
        ({"code": "{code}"}, {"parameters"}),
        ({"code": "{code}", "min": ""}, {"parameters"}),
        ({"min": "{code}"}, {"parameters"}),
        # The vendor would make a code of its own.
        ({"code": "##code##", "min": "{code}"}, {"parameters"}),
    ],
)
def test_pnvs_needs_code_and_min(parameters: dict[str, str], keys: set[str]) -> None:
    assert found(aliyun_pnvs, parameters=parameters) == keys


def test_pnvs_sends_codes_only() -> None:
    assert found(aliyun_pnvs, templates={"default": "1", "password_changed": "2"}) == {"templates"}
    settings = settings_of(aliyun_pnvs.Settings, {**OWN[aliyun_pnvs], "templates": {"password_changed": "2"}})
    assert not any(settings.serves(template) for template in Template)  # type: ignore[attr-defined]


def test_intl_needs_templates_for_the_mainland_only() -> None:
    assert found(aliyun_intl, templates={}, sign_name="") == set()
    settings = settings_of(aliyun_intl.Settings, {**OWN[aliyun_intl], "templates": {}})
    assert all(settings.serves(template) for template in Template)  # type: ignore[attr-defined]


def test_aliyun_needs_templates() -> None:
    settings = settings_of(aliyun.Settings, OWN[aliyun])
    served = {template for template in Template if settings.serves(template)}  # type: ignore[attr-defined]
    assert served == {template for template in Template if template.has_code} | {Template.PASSWORD_CHANGED}
