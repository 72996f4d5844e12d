// Solve the captcha of a form in a worker, once the number or address is complete. page.js loads this when it is wanted.
const AGE = 240000;
const policy = window.trustedTypes?.createPolicy("menshen", {
  createScriptURL: (url) => { if (/^\/assets\/[\w/.-]+$/.test(url)) return url; throw new TypeError(url); },
});

const complete = (form) => {
  const { phone, email, account, region } = form.elements;
  const digits = (text) => text.replace(/\D/g, "").length;
  const address = (text) => /.@.+\../.test(text);
  if (phone) return digits(phone.value) >= (!region || region.value === "+86" ? 11 : 7);
  return email ? address(email.value) : !!account && (address(account.value) || digits(account.value) >= 7);
};

export function guard(field) {
  const form = field.form, status = form.querySelector("[data-status]");
  let running = null, pressed = null, solved = 0;
  const say = (text) => { status.textContent = text; };

  const challenge = async () => {
    const given = field.dataset.challenge;
    delete field.dataset.challenge;
    if (given) return JSON.parse(given);
    const answer = await fetch("/login/challenge");
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  };
  const work = ({ parameters }) => new Promise((done, failed) => {
    const path = field.dataset.worker;
    const worker = new Worker(policy ? policy.createScriptURL(path) : path);
    worker.onmessage = ({ data }) => { worker.terminate(); done(data); };
    worker.onerror = () => { worker.terminate(); failed(new Error("worker")); };
    worker.postMessage(parameters);
  });
  const solve = async () => {
    say(field.dataset.busy);
    try {
      const asked = await challenge();
      field.value = btoa(JSON.stringify({ challenge: asked, solution: await work(asked) }));
      solved = Date.now();
      say(field.dataset.done);
    } catch {
      // The form goes out as it is: the server answers with what a browser without scripts gets.
      running = false;
      say(field.dataset.failed);
    }
  };
  const start = () => running ?? (running = solve());
  const fresh = () => field.value && Date.now() - solved < AGE;
  const wanted = () => {
    const { code } = form.elements, what = pressed?.value;
    if (what === "picture") return false;
    return "wanted" in field.dataset || what === "send" || (what === "next" && !code?.value);
  };

  const early = () => { if ("early" in field.dataset && !form.querySelector("[data-sent]") && complete(form)) start(); };
  form.addEventListener("input", early);
  // `submitter` is younger than the browsers that must work. Enter presses the first button, which is a click, too.
  form.addEventListener("click", (event) => { pressed = event.target.closest("button") ?? pressed; }, true);
  form.addEventListener("submit", (event) => {
    if (running === false || fresh() || !wanted()) return;
    event.preventDefault();
    if (field.value) { field.value = ""; running = null; }
    const button = pressed;
    start().then(() => button?.click());
  });
  if ("wanted" in field.dataset) {
    for (const part of form.querySelectorAll("[data-picture]")) part.hidden = true;
    start();
  } else early();
}
