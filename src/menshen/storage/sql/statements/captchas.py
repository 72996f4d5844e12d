"""What is asked about captchas."""

from __future__ import annotations

from sqlalchemy import bindparam, case, delete, or_, update

from menshen.storage.sql.statements.compiler import Compiler
from menshen.storage.sql.tables import captcha_images, captcha_nonces, captcha_passes


class CaptchaStatements:
    """Everything this repository asks, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        p, i = captcha_passes.c, captcha_images.c
        now = bindparam("now", type_=p.expires_at.type)
        self.nonce = sql(sql.insert(captcha_nonces).on_conflict_do_nothing().returning(captcha_nonces.c.nonce))
        self.add_pass = sql(sql.insert(captcha_passes).on_conflict_do_nothing())
        action = bindparam("action", type_=p.spent_on.type)
        self.spend_pass = sql(
            update(captcha_passes)
            .where(
                p.digest == bindparam("token"),
                p.app_id == bindparam("app"),
                p.network == bindparam("network"),
                p.difficulty >= bindparam("difficulty"),
                p.expires_at > now,
                p.spent_on.not_like("% " + action + " %"),
            )
            .values(spent_on=p.spent_on + action + " ")
            .returning(p.app_id)
        )
        self.open_image = sql(sql.insert(captcha_images, "digest", "app_id", "expires_at").on_conflict_do_nothing())
        ticket = (i.digest == bindparam("ticket"), i.expires_at > now)
        self.set_answer = sql(
            update(captcha_images)
            .where(*ticket)
            .values(answer_mac=bindparam("mac"), expires_at=bindparam("until", type_=i.expires_at.type))
            .returning(i.app_id)
        )
        fits = or_(i.answer_mac == bindparam("mac"), i.answer_mac == bindparam("older_mac"))
        self.answer = sql(
            delete(captcha_images)
            .where(*ticket, i.app_id == bindparam("app"), i.answer_mac.is_not(None))
            .returning(case((fits, 1), else_=0))
        )
