"""Name what would be in the source if an attack applied that does not.

The reasons stand in docs/security/attacks.md. What appears leaves this table first, and gets a test.
"""

ABSENT = {
    "IN-2": ("ldap",),
    "IN-8": ("import csv", "csv.writer"),
}
