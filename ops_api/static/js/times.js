// Moments in the reader's own zone; the server writes them in the business zone.
const language = document.documentElement.lang;
const dialect = navigator.languages.find((each) => each.split("-")[0] === language) ?? language;
const moment = new Intl.DateTimeFormat(dialect, {
  dateStyle: "medium", timeStyle: "short",
});

export function localiseTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.valueOf())) time.textContent = moment.format(at);
  }
}
