/** What a server offers in its answer to EHLO (RFC 5321 §4.1.1.1), as far as it matters here. */
export interface Extensions {
  readonly smtpUtf8: boolean;
  /** Octets that it takes at most; undefined: it says none. */
  readonly sizeLimit: number | undefined;
}

/** Of an answer to HELO there is nothing but a greeting: its first line says nothing of extensions. */
export function readExtensions(answer: string | false): Extensions {
  const lines = (answer || '').split(/\r?\n/).slice(1);
  const offers = new Map(lines.map((line) => wordsOf(line)));
  const size = offers.get('SIZE') ?? '';
  return {
    smtpUtf8: offers.has('SMTPUTF8'),
    sizeLimit: /^\d{1,15}$/.test(size) ? Number(size) || undefined : undefined,
  };
}

/** `250-SIZE 10240000`: the keyword, in any case, and its first parameter. */
function wordsOf(line: string): [string, string] {
  const [keyword = '', parameter = ''] = line
    .replace(/^\d{3}[ -]?/, '')
    .trim()
    .split(/[\s=]+/);
  return [keyword.toUpperCase(), parameter];
}
