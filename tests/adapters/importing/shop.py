"""A small shop for the tests: what stands in its tables, from which `make_mariadb_dump.py` made `mariadb.sql.gz`.

The columns are named after the fields of the API; their types and defaults are our own guess at what a shop of this
kind would choose, and the importer relies on none of them.
"""

from __future__ import annotations

from typing import Any

PASSWORD = "Passw0rd!"
# The example of the contract.
HASH = "56cfa86be43299fb5e25e1ec6160c7d1"
# Of the same password.
BCRYPT = "$2y$04$417vw3cbVWZBCiTOjgi6kuZ6JUiJHO.woxUvAUH97JuABkGvSXEv."
ARGON2 = "$argon2id$v=19$m=64,t=3,p=1$6zfo7phF225lzbzJzV1w4A$53OOp4iaTQVtvM3AnbAD5qI0GB9z7OV8Ovrxu0Gwf28"

NOW = 1_795_219_200
DAY = 86_400
TABLES = """
CREATE TABLE cs_app (
  app_id int(11) unsigned NOT NULL AUTO_INCREMENT,
  app_name varchar(30) NOT NULL DEFAULT '' COMMENT 'its name; (short), isn''t long',
  app_key char(8) NOT NULL,
  app_secret char(32) NOT NULL,
  captcha tinyint(1) NOT NULL DEFAULT 0,
  status tinyint(1) NOT NULL DEFAULT 1,
  is_delete tinyint(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (app_id),
  UNIQUE KEY app_key (app_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE cs_blob (
  blob_id int NOT NULL AUTO_INCREMENT,
  content longblob,
  note text,
  PRIMARY KEY (blob_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE cs_token (
  token_id int(11) unsigned NOT NULL AUTO_INCREMENT,
  client_id int(11) unsigned NOT NULL,
  group_id smallint(5) unsigned NOT NULL DEFAULT 0,
  client_type tinyint(1) NOT NULL DEFAULT 0 COMMENT '0 a customer; 1 an administrator',
  platform varchar(50) NOT NULL,
  code char(32) NOT NULL DEFAULT '',
  token char(32) NOT NULL,
  token_expires int(11) NOT NULL,
  refresh char(32) DEFAULT NULL,
  refresh_expires int(11) DEFAULT NULL,
  PRIMARY KEY (token_id),
  KEY client (client_id, client_type)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE cs_user (
  user_id int(11) unsigned NOT NULL AUTO_INCREMENT,
  username varchar(60) NOT NULL,
  password varchar(255) DEFAULT NULL,
  mobile varchar(15) DEFAULT NULL,
  is_mobile tinyint(1) NOT NULL DEFAULT 0,
  email varchar(60) DEFAULT NULL,
  is_email tinyint(1) NOT NULL DEFAULT 0,
  nickname varchar(50) DEFAULT NULL,
  head_pic varchar(512) DEFAULT NULL,
  sex tinyint(1) NOT NULL DEFAULT 0,
  birthday date DEFAULT NULL,
  user_level_id smallint(5) NOT NULL DEFAULT 1,
  user_address_id int(11) NOT NULL DEFAULT 0,
  group_id smallint(5) NOT NULL DEFAULT 3,
  last_login int(11) DEFAULT NULL,
  last_ip varchar(45) DEFAULT NULL,
  status tinyint(1) NOT NULL DEFAULT 1,
  create_time int(11) NOT NULL DEFAULT 0,
  update_time int(11) NOT NULL DEFAULT 0,
  is_delete tinyint(1) NOT NULL DEFAULT 0,
  `key` varchar(10) NOT NULL DEFAULT 'x',
  PRIMARY KEY (user_id),
  UNIQUE KEY username (username)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
"""
# A trigger brings DELIMITER, a body with texts and comments, and conditional comments into the dump.
TRIGGER = """
CREATE TRIGGER cs_user_grown AFTER INSERT ON cs_user FOR EACH ROW
BEGIN
  -- it's a comment; with "quotes' and a semicolon
  IF NEW.sex = 9 THEN
    INSERT INTO cs_blob (note) VALUES ('a;b /* no comment */ \\\\''c');
  END IF;
END
"""


def user(number: int, username: str, **more: Any) -> dict[str, Any]:
    plain = {
        "user_id": number, "username": username, "password": HASH, "mobile": f"138{number:08}", "is_mobile": 1,
        "email": "", "is_email": 0, "nickname": "", "head_pic": "", "sex": 0, "birthday": None,
        "last_login": None, "last_ip": "", "status": 1, "create_time": NOW - 1000 * DAY + number,
        "update_time": NOW - 10 * DAY, "is_delete": 0,
    }  # fmt: skip
    return plain | more


TAKES_OVER = "13900000016"
CLAIMED = "bob@example.com"
NASTY = "');\nINSERT INTO `cs_user` VALUES (77,'evil1');-- \\"

USERS = [
    user(
        1, "alice1", nickname="Alice 昵称", last_login=NOW - 3 * DAY, last_ip="203.0.113.9", sex=2,
        birthday="1990-02-28",
    ),
    user(2, "Bob_B-2", email="Bob@Example.com", is_email=1, head_pic="//host/head_pic.jpg", sex=1),
    user(3, "quotes", nickname="O'Brien \"x\" \\ `y` %_"),
    user(4, "controls", nickname="a\nb\rc\td\x1ae\x08f", head_pic="nul\0nul"),
    user(5, "emoji", nickname="😀门神👨‍👩‍👧", mobile="13800000005", is_mobile=0),
    user(6, "nasty", nickname=NASTY, head_pic="/* ; */ -- # \\'"),
    user(7, "nulls", password=None, mobile=None, is_mobile=0, email=None, nickname=None, head_pic=None, last_ip=None),
    user(8, "zeros", birthday="0000-00-00", last_login=0, last_ip="0", update_time=0),
    user(9, "disabled9", status=0),
    user(10, "deleted10", is_delete=1),
    user(11, "13800000011"),
    user(12, "13700000012", is_mobile=0, mobile="13700000012"),
    user(13, "张三丰"),
    user(14, "twin14", mobile="13800000001", is_mobile=0),
    user(15, "squatter", mobile=TAKES_OVER, is_mobile=0),
    user(16, "owner16", mobile=TAKES_OVER, is_mobile=1),
    user(17, "badmail", email="not an address", is_email=1),
    user(18, "bcrypt18", password=BCRYPT),
    user(19, "argon19", password=ARGON2),
    user(20, "junk20", password="plain text!"),
    user(21, "empty21", password=""),
    user(22, "short22", mobile="1380000", is_mobile=0),
    user(23, "nomobile", mobile="", is_mobile=0),
    user(24, "foreign24", mobile="0085261234567", is_mobile=1),
    user(25, "twin25", mobile="13800000003", is_mobile=1),
    user(26, "longnick", nickname="长" * 50, head_pic="h" * 512),
    user(27, "claims27", email=CLAIMED, is_email=0),
    user(28, "UPPER28", password=HASH.upper()),
    user(40_000_000, "faraway"),
    user(40_000_001, "deletedlast", is_delete=1),
]  # fmt: skip

TOKENS: list[dict[str, Any]] = []


def token(client: int, platform: str, *, expires: int, **more: Any) -> dict[str, Any]:
    number = len(TOKENS) + 1
    made = {
        "token_id": number, "client_id": client, "group_id": 3, "client_type": 0, "platform": platform,
        "code": f"{number:032x}", "token": f"{number + 0xA0000:032x}", "token_expires": expires,
        "refresh": f"{number + 0xB0000:032x}", "refresh_expires": expires + DAY,
    }  # fmt: skip
    TOKENS.append(made | more)
    return TOKENS[-1]


ALICE_OLD = token(1, "IOS ", expires=NOW + 10 * DAY)
ALICE = token(1, "iOS", expires=NOW + 20 * DAY)
ALICE_WEB = token(1, "Web", expires=NOW + 5 * DAY)
BOB_LAPSED = token(2, "pc", expires=NOW - 3600)
ZEROS_DEAD = token(8, "pc", expires=NOW - 2 * DAY)
ADMIN = token(1, "admin", expires=NOW + 20 * DAY, client_type=1)
OF_DISABLED = token(9, "pc", expires=NOW + 20 * DAY)
OF_DELETED = token(10, "pc", expires=NOW + 20 * DAY)
OF_NOBODY = token(999, "pc", expires=NOW + 20 * DAY)
CRIPPLED = token(3, "pc", expires=NOW + 20 * DAY, token="not a token")
NO_REFRESH = token(5, "小程序", expires=NOW + 20 * DAY, refresh=None, refresh_expires=None)
FARAWAY = token(40_000_000, "android", expires=NOW + 20 * DAY)

APPS: list[dict[str, Any]] = [
    {"app_name": "Shop", "app_key": "88888888", "app_secret": "0123456789abcdef0123456789abcdef"},
    {"app_name": "管理后台", "app_key": "77777777", "app_secret": "f" * 32, "captcha": 1},
    {"app_name": "Old", "app_key": "66666666", "app_secret": "e" * 32, "status": 0},
    {"app_name": "Gone", "app_key": "55555555", "app_secret": "d" * 32, "is_delete": 1},
    {"app_name": "Odd", "app_key": "1234", "app_secret": "c" * 32},
]
BLOBS: list[dict[str, Any]] = [
    {"content": bytes(range(256)) * 3, "note": NASTY},
    {"content": b"'" * 100 + b"\\" * 101, "note": None},
]
