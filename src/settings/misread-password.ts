const advice = 'write %, /, ?, # and @ in a user or a password as %25, %2F, %3F, %23 and %40';

/**
 * What to change where a character of a password ends the host of its URL, or cannot be decoded. Undefined
 * when nothing of that kind shows. Never quotes the URL, which is a secret.
 */
export function whyMisread(text: string): string | undefined {
  if (!URL.canParse(text)) return text.includes('@') ? advice : undefined;
  const { username, password, pathname, search, hash } = new URL(text);
  const undecodable = !isDecodable(username) || !isDecodable(password);
  // What was meant to be the password is a port and a path here: `//user:12/34@host`.
  const beyondHost = username === '' && (pathname.includes('@') || /^\?[^=]*@/.test(search));
  return undecodable || beyondHost || hash !== '' ? advice : undefined;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
