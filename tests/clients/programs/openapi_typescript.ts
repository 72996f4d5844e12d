// Log in and edit an account with types of openapi-typescript, over openapi-fetch: URL USERNAME PASSWORD NICKNAME.
import createClient from "openapi-fetch";
import type { paths } from "./generated";

async function main([baseUrl, username, password, nickname]: string[]): Promise<void> {
  const stranger = createClient<paths>({ baseUrl });
  const path = "/weidu/api/v1/users/login";
  const refused = await stranger.POST(path, { body: { login_id: username, password: "no" } });
  const login = await stranger.POST(path, { body: { login_id: username, password } });
  if (login.data === undefined) throw new Error(login.error.error);
  const token = login.response.headers.get("token") ?? "";
  const me = createClient<paths>({ baseUrl, headers: { Token: token } });
  const edited = await me.PUT("/weidu/api/v1/users/update", { body: { nickname, gender: 1 } });
  if (edited.data === undefined) throw new Error(edited.error.error);
  const read = await me.GET("/weidu/api/v1/users/info");
  if (read.data === undefined) throw new Error(read.error.error);
  const info = read.data.user_info;
  const { username: name } = login.data.user_info;
  console.log(
    JSON.stringify({
      username: name,
      gender: info.gender,
      nickname: info.nickname,
      token,
      error: refused.error?.error,
    }),
  );
}

void main(process.argv.slice(2));
