// Run the ceremonies of passkeys. Each ends in an ordinary form, so that the server answers as to every form.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0)).buffer;
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));
let waiting;

const parsers = {
  get: (o) => window.PublicKeyCredential.parseRequestOptionsFromJSON?.(o)
    ?? { ...o, challenge: bytes(o.challenge), allowCredentials: known(o.allowCredentials) },
  create: (o) => window.PublicKeyCredential.parseCreationOptionsFromJSON?.(o)
    ?? { ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: known(o.excludeCredentials) },
};

function written(credential) {
  if (credential.toJSON) return credential.toJSON();
  const { id, type, response } = credential, made = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (response[name]) made[name] = text(response[name]);
  if (response.getTransports) made.transports = response.getTransports();
  return { id, rawId: id, type, response: made, clientExtensionResults: credential.getClientExtensionResults() };
}

async function run(form, mediation, given) {
  const said = form.querySelector("[role=alert]");
  const ceremony = form.dataset.passkey;
  said.hidden = true;
  try {
    const { publicKey, error } = given ?? await ask(form);
    if (error) return say(said, error);
    waiting?.abort();
    waiting = new AbortController();
    const options = { publicKey: parsers[ceremony](publicKey), signal: waiting.signal };
    if (mediation) options.mediation = mediation;
    const credential = await navigator.credentials[ceremony](options);
    form.elements.credential.value = JSON.stringify(written(credential));
    form.requestSubmit ? form.requestSubmit() : form.submit();
  } catch (problem) {
    if (!mediation && problem.name !== "AbortError") say(said, said.dataset.said);
  }
}

async function ask(form) {
  const asked = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  return asked.json();
}

// Passkeys appear among the suggestions of the account field. A challenge is good for five minutes, so another is asked for in time.
async function offer(form) {
  if (!(await window.PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  run(form, "conditional", { publicKey: JSON.parse(form.dataset.auto) });
  setInterval(() => document.visibilityState === "visible" && run(form, "conditional"), 240000);
}

function say(said, sentence) {
  said.textContent = sentence;
  said.hidden = false;
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.querySelector("[data-start]").addEventListener("click", () => run(form));
    if (form.dataset.auto) offer(form);
  }
}
