"""The list of attacks: every id of the project's security list, sections 2A to 2N, in its order."""

COUNTS = {
    "EN": 8,  # enumeration
    "OT": 18,  # one-time codes, pumping, lock-out
    "RACE": 12,
    "TK": 14,  # tokens and sessions
    "HD": 8,  # headers, host, routing
    "CK": 9,  # cookies, CSRF, CORS, JSONP, framing
    "TY": 12,  # types, JSON, Unicode
    "RS": 9,  # exhaustion
    "PW": 7,  # password hashes
    "IN": 10,  # injection
    "RD": 2,  # redirects, static files
    "SG": 7,  # signing, devices, time
    "LG": 7,  # logs, secrets, backup
    "AD": 6,  # bootstrap, administration, defaults
}
IDS = tuple(f"{group}-{number}" for group, count in COUNTS.items() for number in range(1, count + 1))
