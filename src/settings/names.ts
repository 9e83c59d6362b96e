import { editDistance } from './edit-distance.ts';

/** An environment variable whose name resembles one of our settings. */
interface Misspelt {
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
]);

/**
 * Reports misspelt settings. It is an error if the intended setting is not set, because the program would run
 * without it. If it is set, even to an empty value, the choice was deliberate, and the misspelt name is only
 * a warning.
 * @param settings names of all settings
 */
export function judgeNames(env: Readonly<Record<string, string | undefined>>, settings: readonly string[]) {
  // Kubernetes sets TICKETWIRE_PORT=tcp://… in every container when a service is named ticketwire.
  const named = Object.keys(env).filter((name) => !/^(tcp:\/\/.*)?$/.test(env[name] ?? ''));
  const said = findMisspelt(named, settings).map(({ name, meant }) => ({
    missing: env[meant] === undefined,
    text: `${name}: is not a setting; did you mean ${meant}?`,
    meant,
  }));
  return {
    errors: said
      .filter(({ missing }) => missing)
      .map(
        ({ text, meant }) =>
          `${text} (If it belongs to another program, set ${meant} as well, if only to an empty value.)`,
      ),
    warnings: said.filter(({ missing }) => !missing).map(({ text }) => text),
  };
}

/**
 * Finds likely misspellings: another case or other separators, a prefix `TICKETWIRE_`, or one or two letters
 * that are wrong, missing, doubled or swapped. One-word names such as `PORT` resemble too many others, so
 * they are reported only with the prefix.
 */
function findMisspelt(names: readonly string[], settings: readonly string[]): Misspelt[] {
  const known = new Set(settings);
  return names.flatMap((name) => {
    if (known.has(name) || otherPrograms.has(name) || /^npm_/i.test(name)) return [];
    const meant = settings.find((setting) => isNear(name, setting));
    return meant === undefined ? [] : [{ name, meant }];
  });
}

function isNear(name: string, setting: string): boolean {
  const prefixed = /^ticketwire[_.-]?/i.exec(name)?.[0] ?? '';
  const words = wordsOf(name.slice(prefixed.length));
  const wanted = wordsOf(setting);
  if (prefixed !== '' && words.join('') === wanted.join('')) return true;
  if (wanted.length === 1) return false;
  if (words.join('') === wanted.join('')) return true;
  if (words.length !== wanted.length) return editDistance(words.join(''), wanted.join('')) <= 1;
  const distances = words.map((word, i) => editDistance(word, wanted[i]!));
  const near = distances.every((d, i) => d <= allowed(Math.min(words[i]!.length, wanted[i]!.length)));
  return near && distances.reduce((sum, d) => sum + d, 0) <= 2;
}

const wordsOf = (name: string) =>
  name
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter(Boolean);
/** Tolerated typos. In a short word a changed letter often makes another word. */
const allowed = (letters: number) => (letters < 3 ? 0 : letters < 5 ? 1 : 2);
