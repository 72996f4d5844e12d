// The account pages work without this file. It gives exact times in the reader's own time zone.
const exact = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (isNaN(at)) continue;
  if (time.hasAttribute("data-exact")) { time.title = time.textContent; time.textContent = exact.format(at); }
  else if (time.title) time.title = exact.format(at);
}
