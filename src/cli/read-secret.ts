import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError, type Terminal } from './command.ts';

/** More than anyone types, and short enough to hash. */
const maxLength = 1024;
/** Bytes of UTF-8. */
const longestCharacter = 4;

/**
 * Reads a new secret. On a terminal it prompts twice on stderr and does not show what is typed; otherwise it
 * reads the first line of standard input. A secret is never an argument, because other users of the machine
 * can see command lines.
 * @param what name of the secret, for the prompt and the errors: `password`
 * @returns the secret as it was typed, without the line end
 * @throws CommandError when it is empty, is longer than 1024 characters, contains control characters or is
 *   not UTF-8; when the two entries differ; or when the prompt is interrupted
 */
export async function readSecret(terminal: Terminal, what: string): Promise<string> {
  const secret = terminal.stdin.isTTY ? await ask(terminal, what) : await firstLine(terminal);
  if (secret === '')
    throw new CommandError(`No ${what}: type it at the prompt, or pass it on standard input`);
  if (secret.length > maxLength || /\p{Cc}/u.test(secret)) {
    throw new CommandError(`The ${what} is longer than ${maxLength} characters or has control characters`);
  }
  // Other bytes were read as U+FFFD, which nobody would type at the sign-in.
  if (secret.includes('\ufffd')) throw new CommandError(`The ${what} is not UTF-8`);
  return secret;
}

async function ask(terminal: Terminal, what: string): Promise<string> {
  const first = await askOnce(terminal, `New ${what}: `);
  if (first !== (await askOnce(terminal, `Repeat the ${what}: `)))
    throw new CommandError(`The two entries differ`);
  return first;
}

async function askOnce({ stdin, stderr }: Terminal, prompt: string): Promise<string> {
  stderr.write(prompt);
  // In raw mode a terminal shows only what readline writes, which is discarded.
  const nowhere = new Writable({ write: (_chunk, _encoding, next) => next() });
  const reader = createInterface({ input: stdin, output: nowhere, terminal: true });
  const interrupted = new Promise<never>((_, reject) => {
    reader.once('SIGINT', () => reject(new CommandError('Stopped')));
    reader.once('close', () => reject(new CommandError('Stopped')));
  });
  try {
    return await Promise.race([reader.question(''), interrupted]);
  } finally {
    interrupted.catch(() => {});
    reader.close();
    stderr.write('\n');
  }
}

/** It is decoded as a whole: readline leaves out a character whose last bytes are missing. */
async function firstLine({ stdin }: Terminal): Promise<string> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of stdin) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    if (bytes.includes('\n') || bytes.length > longestCharacter * maxLength) break;
  }
  const [line = ''] = new TextDecoder().decode(bytes).split('\n', 1);
  return line.replace(/\r$/, '');
}
