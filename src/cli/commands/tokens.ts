import { createToken, listTokens, revokeToken } from '../../auth/tokens.ts';
import { type Scope, scopes } from '../../platform/request-context.ts';
import { auditEntry } from '../audit-entry.ts';
import { type Command, CommandError, many, one, UsageError, wholeNumber } from '../command.ts';
import { findUser } from '../find-by-name.ts';
import { done, fields, rows } from '../output.ts';

const defaultScopes: readonly Scope[] = ['read', 'write'];
const day = 24 * 60 * 60 * 1000;
/** A hundred years. */
const mostDays = 36_500;

function scopesOf(named: readonly string[]): Scope[] {
  const wanted = named.flatMap((text) => text.split(',')).map((text) => text.trim());
  const unknown = wanted.find((name) => !scopes.includes(name as Scope));
  if (unknown !== undefined)
    throw new UsageError(`There is no scope ${unknown}: choose from ${scopes.join(', ')}`);
  return wanted.length === 0 ? [...defaultScopes] : (wanted as Scope[]);
}

const add: Command = {
  name: 'token add',
  arguments: ['LOGIN'],
  summary: 'Create an API token for a user',
  details: [
    'The token is shown once and can never be read again. A pipe gets the token alone:',
    'export TICKETWIRE_TOKEN=$(npm run -s ticketwire -- token add olga --name shell)',
  ].join('\n'),
  options: {
    name: { type: 'string', value: 'NAME', required: true, help: 'purpose of the token' },
    scope: {
      type: 'string',
      value: 'SCOPE',
      multiple: true,
      help: `read, write, mail or admin; repeatable, or a list (default ${defaultScopes.join(',')})`,
    },
    'expires-in-days': { type: 'string', value: 'DAYS', help: 'days until it expires (default: never)' },
  },
  example: 'token add olga --name backup-script --scope read,write --expires-in-days 90',
  async run({ db }, [login], values) {
    const days = one(values, 'expires-in-days');
    const expiresAt =
      days === undefined
        ? undefined
        : new Date(Date.now() + wholeNumber(days, '--expires-in-days', 1, mostDays) * day);
    const input = { name: one(values, 'name')!, scopes: scopesOf(many(values, 'scope')), expiresAt };
    return db.transaction(async (tx) => {
      const user = await findUser(tx, login!);
      const { id, token } = await createToken(tx, { userId: user.id, ...input });
      await tx.execute(auditEntry('TOKEN_ADDED', { tokenId: id, userId: user.id, scopes: input.scopes }));
      return { ...fields({ id, login: user.login, ...input, token }), piped: token };
    });
  },
};

const list: Command = {
  name: 'token list',
  arguments: ['LOGIN?'],
  summary: 'List tokens, including revoked and expired ones',
  options: {},
  example: 'token list olga',
  async run({ db }, [login]) {
    const user = login === undefined ? undefined : await findUser(db, login);
    const columns = ['id', 'login', 'name', 'scopes', 'createdAt', 'expiresAt', 'revokedAt'];
    return rows(await listTokens(db, user?.id), columns);
  },
};

const revoke: Command = {
  name: 'token revoke',
  arguments: ['ID'],
  summary: 'Revoke a token (takes effect within 30 seconds)',
  options: {},
  example: 'token revoke 7',
  async run({ db }, [text]) {
    const id = wholeNumber(text!, 'ID');
    return db.transaction(async (tx) => {
      if (!(await revokeToken(tx, id)))
        throw new CommandError(`There is no token ${id}, or it is revoked already`);
      await tx.execute(auditEntry('TOKEN_REVOKED', { tokenId: id }));
      return done(`Token ${id} is revoked.`, { id });
    });
  },
};

/**
 * The commands `token add`, `token list` and `token revoke`. Adding and revoking write an audit entry in the
 * same transaction. `token add` prints the token, which cannot be read again; a pipe gets the token alone.
 */
export const tokenCommands: readonly Command[] = [add, list, revoke];
