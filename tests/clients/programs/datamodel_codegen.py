"""Log in and edit an account with models of datamodel-codegen over httpx: URL USERNAME PASSWORD NICKNAME."""

import json
import sys

import httpx
from generated import (
    Failure,
    OwnInfoAnswer,
    OwnInfoAnswerOrPublicInfoAnswer,
    PasswordLoginAnswer,
    PasswordLoginRequest,
    UpdateRequest,
)
from pydantic import BaseModel

url, username, password, nickname = sys.argv[1:]
with httpx.Client(base_url=f"{url}/weidu/api/v1") as client:

    def sent(verb: str, path: str, body: BaseModel) -> httpx.Response:
        return client.request(verb, path, content=body.model_dump_json(exclude_unset=True))

    wrong = sent("POST", "/users/login", PasswordLoginRequest(login_id=username, password="no"))
    refused = Failure.model_validate(wrong.json())
    answer = sent("POST", "/users/login", PasswordLoginRequest(login_id=username, password=password))
    login = PasswordLoginAnswer.model_validate(answer.json())
    client.cookies.clear()
    client.headers["Token"] = token = answer.headers["token"]
    edit = sent("PUT", "/users/update", UpdateRequest(nickname=nickname, gender=1))
    edited = OwnInfoAnswer.model_validate(edit.json())
    read = OwnInfoAnswerOrPublicInfoAnswer.model_validate(client.get("/users/info").json())
assert read.user_info.model_dump() == edited.user_info.model_dump()
told = {"username": login.user_info.username, "gender": read.user_info.gender, "token": token}
print(json.dumps(told | {"nickname": read.user_info.nickname, "error": refused.error.value}))
