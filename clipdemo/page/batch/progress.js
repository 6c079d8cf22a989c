// A run's progress in words; it is {state, total, rate, left, rows, place, wait}, see jobs.py.

export function progressText({ state, total = 0, rate, left, rows = [], place, wait }) {
  const done = `${rows.length} of ${total}`;
  const problems = rows.filter(({ problem }) => problem).length;
  const without = problems ? ` (${problems} without a readable photo)` : "";
  const speed = rate ? ` · ${rate.toFixed(1)}/s · ${duration(left)} left` : "";
  const turn = `Number ${place} in the queue${wait ? `, about ${duration(wait)}` : ""}.`;
  const texts = {
    waiting: turn, reading: "Reading your files …", running: done + speed, done: `Done: ${rows.length}${without}.`,
    stopped: `Cancelled: ${done} are kept.`, failed: rows.length ? `Stopped: ${done} are kept.` : "",
  };
  return texts[state] ?? "";
}

function duration(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
