// The pages work without this file. It adds: show the password, no double submit, a countdown, the captcha when wanted.
for (const button of document.querySelectorAll("[data-show]")) button.hidden = false;
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show]");
  if (!button) return;
  const input = document.getElementById(button.getAttribute("aria-controls"));
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
});
// Enter presses a hidden button, which checks nothing by itself: a code that was typed must not be lost for a box.
document.addEventListener("click", (event) => {
  const form = event.target.closest("button[value=next]")?.form;
  if (form && (!form.elements.code || form.elements.code.value) && !form.reportValidity()) event.preventDefault();
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
for (const button of document.querySelectorAll("[data-again]")) {
  const label = button.textContent, ends = Date.now() + 1000 * button.dataset.again;
  for (const plain of document.querySelectorAll("[data-plain]")) plain.hidden = true;
  const count = () => {
    const left = Math.ceil((ends - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.wait.replace("{}", left) : label;
    if (left > 0) setTimeout(count, 250);
  };
  count();
}

const test = document.querySelector("[data-captcha]");
if (test && window.crypto?.subtle && window.Worker) {
  let loaded;
  const load = () => { loaded ??= import(test.dataset.captcha).then(({ guard }) => guard(test)); };
  const kinds = "early" in test.dataset ? ["focusin", "pointerdown", "input"] : [];
  for (const kind of kinds) test.form.addEventListener(kind, load, { once: true });
  if ("wanted" in test.dataset) load();
}
