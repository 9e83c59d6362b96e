import { editDistance } from './edit-distance.ts';

/** An environment variable whose name resembles one of our settings. */
interface MisspelledName {
  readonly name: string;
  readonly meant: string;
}

/** Settings of other programs whose names resemble ours. */
const otherPrograms = new Set([
  'DATADIR',
  'SFTP_URL',
  'SMTPS_URL',
  'LDAP_URL',
  'IMAP_URL',
  'NODE_ENVS',
  'LOG_LEVELS',
  'HOSTS',
]);

/**
 * Finds environment variables that look like misspelled settings. One is an error if the intended setting is
 * not set, because the program would run without it. It is only a warning if that is set, even to an empty
 * value, and if the name may well be another program's. Other names that begin with `TICKETWIRE_` are
 * warnings too. Empty variables are ignored.
 * @param settings names of all settings
 * @returns `errors` and `warnings`, one line of text for each variable
 */
export function findMisspelledNames(
  env: Readonly<Record<string, string | undefined>>,
  settings: readonly string[],
) {
  // Kubernetes sets TICKETWIRE_PORT=tcp://… in every container when a service is named ticketwire.
  const named = Object.keys(env).filter((name) => !/^(tcp:\/\/.*)?$/.test(env[name] ?? ''));
  const said = findMisspellings(named, settings).map(({ name, meant }) => ({
    // A name of one word may well be another program's, and so may a file of that name.
    missing:
      env[meant] === undefined &&
      wordsOf(meant).length + wordsOf(name).length > (isFileOf(name, meant) ? 3 : 2),
    text: isFileOf(name, meant)
      ? `${name}: is not a setting; ${meant} takes the value itself, as no file is read.`
      : `${name}: is not a setting; did you mean ${meant}?`,
    meant,
  }));
  return {
    errors: said
      .filter(({ missing }) => missing)
      .map(
        ({ text, meant }) =>
          `${text} (If it belongs to another program, set ${meant} as well, if only to an empty value.)`,
      ),
    warnings: [
      ...said.filter(({ missing }) => !missing).map(({ text }) => text),
      ...named
        .filter((name) => isOurs(name) && !said.some(({ text }) => text.startsWith(`${name}: `)))
        .map((name) => `${name}: is not a setting; docs/SETTINGS.md lists them all`),
    ],
  };
}

/**
 * Whether a name claims to be ours: it has our prefix, and is neither one of the command line's nor one that
 * Kubernetes sets for a service of this name (`TICKETWIRE_WORKER_SERVICE_PORT_HTTP`).
 */
const isOurs = (name: string): boolean =>
  /^TICKETWIRE_(?!(URL|TOKEN)$)/i.test(name) && !/_(SERVICE_(HOST|PORT)|PORT_\d+_)/.test(name);

/**
 * Finds likely misspellings: another case or other separators, a prefix `TICKETWIRE_`, or one or two letters
 * that are wrong, missing, doubled or swapped. One-word names such as `PORT` resemble too many others, so
 * they are reported only with the prefix, in another case, or in the plural.
 */
function findMisspellings(names: readonly string[], settings: readonly string[]): MisspelledName[] {
  const known = new Set(settings);
  return names.flatMap((name) => {
    if (known.has(name) || otherPrograms.has(name) || /^npm_/i.test(name)) return [];
    const meant = settings.find((setting) => isNear(name, setting));
    return meant === undefined ? [] : [{ name, meant }];
  });
}

function isNear(name: string, setting: string): boolean {
  if (isFileOf(name, setting)) return true;
  const own = withoutPrefix(name);
  const words = wordsOf(own);
  const wanted = wordsOf(setting);
  if (own !== name && editDistance(words.join(''), wanted.join('')) <= (wanted.length > 1 ? 0 : 1))
    return true;
  if (wanted.length === 1) return words.length === 1 && words[0]!.replace(/S$/, '') === wanted[0];
  if (words.join('') === wanted.join('') || differInMeasure(words, wanted)) return true;
  if (words.length !== wanted.length) return editDistance(words.join(''), wanted.join('')) <= 1;
  const distances = words.map((word, i) => editDistance(word, wanted[i]!));
  const near = distances.every((d, i) => d <= allowed(Math.min(words[i]!.length, wanted[i]!.length)));
  return near && distances.reduce((sum, d) => sum + d, 0) <= 2;
}

/** A shell's file may say `export`. Other programs that read such files take it for a part of the name. */
const withoutPrefix = (name: string): string =>
  name.replace(/^(?:(?:export|set|env)\s+|\$env:|ticketwire[_.-]?)/i, '');

/** Other programs read the value from the file that such a variable names, as for Docker's secrets. */
const isFileOf = (name: string, setting: string): boolean => wordsOf(name).join('_') === `${setting}_FILE`;

const measures = new Set(['BYTES', 'SIZE', 'KB', 'MB', 'SECONDS', 'SECS', 'MS', 'MINUTES', 'DAYS', 'MAX']);

/** `MAX_BODY_SIZE` for `MAX_BODY_BYTES`, `DATABASE_POOL_SIZE` for `DATABASE_POOL`. */
function differInMeasure(words: readonly string[], wanted: readonly string[]): boolean {
  if (!measures.has(words.at(-1) ?? '')) return false;
  const stem = measures.has(wanted.at(-1)!) ? wanted.slice(0, -1) : wanted;
  return stem.length > 1 && words.slice(0, -1).join('') === stem.join('');
}

const wordsOf = (name: string) =>
  name
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter(Boolean);
/** Tolerated typos. In a short word a changed letter often makes another word. */
const allowed = (letters: number) => (letters < 3 ? 0 : letters < 5 ? 1 : 2);
