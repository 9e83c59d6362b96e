import { editDistance } from './edit-distance.ts';

/** A variable of the environment that reads like one of our settings and is none. */
interface Misspelt {
  readonly name: string;
  readonly meant: string;
}

/** What other programs call their own settings; each of these is near one of ours. */
const ofOthers = new Set([
  'DATADIR',
  'SFTP_URL',
  'SMTPS_URL',
  'LDAP_URL',
  'IMAP_URL',
  'NODE_ENVS',
  'LOG_LEVELS',
]);

/**
 * A setting that was meant and not set is an error: the program would run without it. Where it is set too, if
 * only to nothing, somebody has decided, and the other name is told in a warning.
 */
export function judgeNames(env: Readonly<Record<string, string | undefined>>, settings: readonly string[]) {
  // Kubernetes gives every program TICKETWIRE_PORT=tcp://… where a service is called ticketwire.
  const named = Object.keys(env).filter((name) => !/^(tcp:\/\/.*)?$/.test(env[name] ?? ''));
  const said = findMisspelt(named, settings).map(({ name, meant }) => ({
    missing: env[meant] === undefined,
    text: `${name}: is no setting; did you mean ${meant}?`,
    meant,
  }));
  return {
    errors: said
      .filter(({ missing }) => missing)
      .map(
        ({ text, meant }) => `${text} (If it is another program's, set ${meant} too, to nothing at least.)`,
      ),
    warnings: said.filter(({ missing }) => !missing).map(({ text }) => text),
  };
}

/**
 * Finds names that a slip of the finger may have made: another case or other separators, `TICKETWIRE_` before
 * it, or a letter or two that are wrong, missing, doubled or in the other's place. Names of one word, as
 * `PORT`, are too near to what others use: of them only those with the prefix are told.
 */
function findMisspelt(names: readonly string[], settings: readonly string[]): Misspelt[] {
  const known = new Set(settings);
  return names.flatMap((name) => {
    if (known.has(name) || ofOthers.has(name) || /^npm_/i.test(name)) return [];
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
/** Of a short word every other letter makes another word. */
const allowed = (letters: number) => (letters < 3 ? 0 : letters < 5 ? 1 : 2);
