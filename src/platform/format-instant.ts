const dayMs = 24 * 60 * 60 * 1000;

const padded = (count: number, digits: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => String(n).padStart(digits, '0'));
const twoDigits = padded(60, 2);
const threeDigits = padded(1000, 3);

/** The last day that was formatted: the instants of a page are mostly of few days. */
let lastDay = Number.NaN;
let lastDate = '';

/** `date.toISOString()`, in a twentieth of its time when the last one was of the same day. */
export function formatInstant(date: Date): string {
  const ms = date.getTime();
  const day = Math.floor(ms / dayMs);
  if (day !== lastDay) {
    const text = date.toISOString();
    lastDate = text.slice(0, text.indexOf('T') + 1);
    lastDay = day;
  }
  const rest = ms - day * dayMs;
  const seconds = Math.floor(rest / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const time = `${twoDigits[hours]}:${twoDigits[minutes % 60]}:${twoDigits[seconds % 60]}`;
  return `${lastDate}${time}.${threeDigits[rest % 1000]}Z`;
}
