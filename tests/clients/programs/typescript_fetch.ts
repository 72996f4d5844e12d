// Log in and edit an account with a client of typescript-fetch: URL USERNAME PASSWORD NICKNAME.
import { Configuration, LoginPasswordApi, ProfileApi, ResponseError } from "./generated";

async function main([url, username, password, nickname]: string[]): Promise<void> {
  const stranger = new LoginPasswordApi(new Configuration({ basePath: url }));
  const refused = await stranger
    .postUsersLogin({ passwordLoginRequest: { loginId: username, password: "no" } })
    .then(() => ({ error: "none" }))
    .catch(async (reason: ResponseError) => (await reason.response.json()) as { error: string });
  const login = await stranger.postUsersLoginRaw({ passwordLoginRequest: { loginId: username, password } });
  const token = login.raw.headers.get("token") ?? "";
  const me = new ProfileApi(new Configuration({ basePath: url, accessToken: token }));
  const edited = await me.putUsersUpdate({ updateRequest: { nickname, gender: 1 } });
  const { userInfo: read } = await me.getUsersInfo();
  if (read.username !== username || read.updateAt !== edited.userInfo.updateAt) throw new Error("the edit is not what is read");
  const { username: name } = (await login.value()).userInfo;
  console.log(
    JSON.stringify({ username: name, gender: read.gender, nickname: read.nickname, token, error: refused.error }),
  );
}

void main(process.argv.slice(2));
