"""Attacks on what this server does not have, each with the reason. What appears later must leave this table first.

`ABSENT` is what the reason rests on: names that would be in the source if it were there.
"""

NOT_APPLICABLE = {
    "OT-9": "there is no TOTP: no factor of time steps that could be replayed",
    "OT-10": "there are no recovery codes, TOTP or magic links; another person's SMS code is OT-5",
    "TK-8": "there is no second factor: a login is granted whole or not at all, and no half-open state exists",
    "IN-2": "there is no LDAP back end",
    "IN-8": "there is no CSV export: commands print tables for people and JSON for programs",
    "RD-1": "there are no redirects: no answer has a Location header (test_rd_2 holds it) and no parameter names one",
}

ABSENT = {
    "OT-9": ("totp", "pyotp"),
    "OT-10": ("recovery_code", "magic_link"),
    "TK-8": ("second_factor", "StepNeeded"),
    "IN-2": ("ldap",),
    "IN-8": ("import csv", "csv.writer"),
    "RD-1": ("RedirectResponse", 'b"location"', '"location"'),
}
