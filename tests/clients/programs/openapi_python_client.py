"""Log in and edit an account with a client of openapi-python-client: URL USERNAME PASSWORD NICKNAME."""

import json
import sys

from generated import AuthenticatedClient, Client
from generated.api.login_password import post_users_login
from generated.api.profile import get_users_info, put_users_update
from generated.models import (
    Failure,
    OwnInfoAnswer,
    OwnInfoAnswerOrPublicInfoAnswer,
    PasswordLoginAnswer,
    PasswordLoginRequest,
    UpdateRequest,
)
from generated.models.update_request_gender_type_0 import UpdateRequestGenderType0

url, username, password, nickname = sys.argv[1:]
stranger = Client(base_url=url)
refused = post_users_login.sync(client=stranger, body=PasswordLoginRequest(login_id=username, password="no"))
assert isinstance(refused, Failure)
login = post_users_login.sync_detailed(client=stranger, body=PasswordLoginRequest(login_id=username, password=password))
assert isinstance(login.parsed, PasswordLoginAnswer)
me = AuthenticatedClient(base_url=url, token=login.headers["token"])
edit = UpdateRequest(nickname=nickname, gender=UpdateRequestGenderType0.MALE)
edited = put_users_update.sync(client=me, body=edit)
assert isinstance(edited, OwnInfoAnswer)
read = get_users_info.sync(client=me)
assert isinstance(read, OwnInfoAnswerOrPublicInfoAnswer)
assert read.user_info.to_dict() == edited.user_info.to_dict()
told = {"username": login.parsed.user_info.username, "gender": read.user_info.gender, "token": me.token}
print(json.dumps(told | {"nickname": read.user_info.nickname, "error": refused.error}))
