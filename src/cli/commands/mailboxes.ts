import { and, asc, eq, sql } from 'drizzle-orm';
import type { Config } from '../../config.ts';
import { mailboxes, mailboxGrants } from '../../db/tables.ts';
import { newMailbox } from '../../import/record.ts';
import { sealPassword } from '../../mail/smtp/seal-password.ts';
import { auditEntry } from '../audit-entry.ts';
import {
  type Command,
  type CommandContext,
  CommandError,
  checked,
  many,
  one,
  wholeNumber,
} from '../command.ts';
import { findMailbox, findOperator } from '../find-by-name.ts';
import { done, fields, rows } from '../output.ts';
import { readSecret } from '../read-secret.ts';

async function sealedPassword(ctx: CommandContext, address: string): Promise<Buffer> {
  const key = keyOf(ctx.config);
  return sealPassword(await readSecret(ctx, 'SMTP password'), address, key);
}

function keyOf({ mailboxKey }: Config): Buffer {
  if (mailboxKey !== undefined) return mailboxKey;
  throw new CommandError(
    'SMTP passwords are encrypted: set MAILBOX_KEY to 64 hexadecimal digits, as the gateway has it',
  );
}

const add: Command = {
  name: 'mailbox add',
  arguments: ['ADDRESS'],
  summary: 'Add a mailbox to send from',
  details: 'With --smtp-password, the password is asked for, or read from the first line of standard input.',
  options: {
    name: { type: 'string', value: 'NAME', required: true, help: 'display name that recipients see' },
    operator: {
      type: 'string',
      value: 'LOGIN',
      multiple: true,
      help: 'operator who may send from it; repeatable',
    },
    signature: { type: 'string', value: 'TEXT', help: 'text below each message' },
    'smtp-url': {
      type: 'string',
      value: 'URL',
      help: 'smtp://user@host:587 (default: SMTP_URL of the gateway)',
    },
    'smtp-password': { type: 'boolean', help: 'prompt for the SMTP password' },
    'max-mail-bytes': {
      type: 'string',
      value: 'BYTES',
      help: 'maximum size of an encoded mail (default 26214400)',
    },
    'rate-per-minute': { type: 'string', value: 'N', help: 'maximum mails per minute' },
  },
  example: 'mailbox add company@domain.com --name "Help desk" --operator olga',
  async run(ctx, [text], values) {
    const bytes = one(values, 'max-mail-bytes');
    const rate = one(values, 'rate-per-minute');
    const mailbox = checked(newMailbox, {
      address: text,
      displayName: one(values, 'name'),
      signature: one(values, 'signature') ?? '',
      smtpUrl: one(values, 'smtp-url') ?? null,
      maxMailBytes: bytes === undefined ? undefined : wholeNumber(bytes, '--max-mail-bytes'),
      ratePerMinute: rate === undefined ? null : wholeNumber(rate, '--rate-per-minute'),
    });
    const { address } = mailbox;
    if (values['smtp-password'] && !mailbox.smtpUrl)
      throw new CommandError('--smtp-password needs --smtp-url');
    const smtpPassword = values['smtp-password'] ? await sealedPassword(ctx, address) : null;
    return ctx.db.transaction(async (tx) => {
      const [added] = await tx
        .insert(mailboxes)
        .values({ ...mailbox, smtpPassword })
        .returning({ id: mailboxes.id });
      const operators: string[] = [];
      for (const login of many(values, 'operator')) {
        const user = await findOperator(tx, login);
        operators.push(user.login);
        await tx
          .insert(mailboxGrants)
          .values({ mailboxId: added!.id, userId: user.id })
          .onConflictDoNothing();
      }
      await tx.execute(auditEntry('MAILBOX_ADDED', { mailboxId: added!.id, address, operators }));
      return fields({ id: added!.id, ...mailbox, operators });
    });
  },
};

const list: Command = {
  name: 'mailbox list',
  arguments: [],
  summary: 'List mailboxes and who may send from them',
  options: {},
  example: 'mailbox list --json',
  async run({ db }) {
    const found = await db
      .select({
        id: mailboxes.id,
        address: mailboxes.address,
        displayName: mailboxes.displayName,
        smtpUrl: mailboxes.smtpUrl,
        smtpPassword: sql<boolean>`smtp_password is not null`,
        maxMailBytes: mailboxes.maxMailBytes,
        ratePerMinute: mailboxes.ratePerMinute,
        disabledAt: mailboxes.disabledAt,
        operators: sql<string[]>`array(select u.login from users u join mailbox_grants g on g.user_id = u.id
          where g.mailbox_id = mailboxes.id order by u.login)`,
      })
      .from(mailboxes)
      .orderBy(asc(mailboxes.id));
    return rows(found, ['id', 'address', 'displayName', 'smtpUrl', 'operators', 'disabledAt']);
  },
};

const grant: Command = {
  name: 'mailbox grant',
  arguments: ['ADDRESS', 'LOGIN'],
  summary: 'Let an operator send from a mailbox',
  options: { remove: { type: 'boolean', help: 'withdraw the permission' } },
  async run({ db }, [address, login], values) {
    return db.transaction(async (tx) => {
      const mailbox = await findMailbox(tx, address!);
      const user = await findOperator(tx, login!);
      const remove = values.remove === true;
      const row = { mailboxId: mailbox.id, userId: user.id };
      if (remove) {
        await tx
          .delete(mailboxGrants)
          .where(and(eq(mailboxGrants.mailboxId, mailbox.id), eq(mailboxGrants.userId, user.id)));
      } else await tx.insert(mailboxGrants).values(row).onConflictDoNothing();
      await tx.execute(auditEntry(remove ? 'MAILBOX_GRANT_REMOVED' : 'MAILBOX_GRANTED', row));
      return done(`${user.login} may ${remove ? 'not send from' : 'send from'} ${mailbox.address}.`, {
        address: mailbox.address,
        login: user.login,
        granted: !remove,
      });
    });
  },
  example: 'mailbox grant company@domain.com olga',
};

const setDisabled = (name: string, summary: string, disable: boolean): Command => ({
  name: `mailbox ${name}`,
  arguments: ['ADDRESS'],
  summary,
  options: {},
  example: `mailbox ${name} company@domain.com`,
  async run({ db }, [address]) {
    return db.transaction(async (tx) => {
      const mailbox = await findMailbox(tx, address!);
      const disabledAt = disable ? (mailbox.disabledAt ?? new Date()) : null;
      await tx.update(mailboxes).set({ disabledAt }).where(eq(mailboxes.id, mailbox.id));
      await tx.execute(
        auditEntry(disable ? 'MAILBOX_DISABLED' : 'MAILBOX_ENABLED', { mailboxId: mailbox.id }),
      );
      return done(`${mailbox.address} is ${disable ? 'disabled' : 'enabled'}.`, {
        id: mailbox.id,
        address: mailbox.address,
        disabledAt,
      });
    });
  },
});

const password: Command = {
  name: 'mailbox password',
  arguments: ['ADDRESS'],
  summary: 'Set the SMTP password of a mailbox',
  details: 'It is asked for, or read from the first line of standard input, and encrypted under MAILBOX_KEY.',
  options: {},
  example: 'mailbox password company@domain.com',
  async run(ctx, [address]) {
    const mailbox = await findMailbox(ctx.db, address!);
    if (mailbox.smtpUrl === null) throw new CommandError(`${mailbox.address} has no SMTP server of its own`);
    const smtpPassword = await sealedPassword(ctx, mailbox.address);
    await ctx.db.transaction(async (tx) => {
      await tx.update(mailboxes).set({ smtpPassword }).where(eq(mailboxes.id, mailbox.id));
      await tx.execute(auditEntry('MAILBOX_PASSWORD_SET', { mailboxId: mailbox.id }));
    });
    return done(`${mailbox.address} has a new SMTP password.`, { id: mailbox.id, address: mailbox.address });
  },
};

/**
 * The commands `mailbox add`, `list`, `grant`, `disable`, `enable` and `password`. Each change is written in
 * one transaction with its audit entry. `mailbox edit` and `mailbox test` have files of their own.
 */
export const mailboxCommands: readonly Command[] = [
  add,
  list,
  grant,
  setDisabled('disable', 'Stop sending from a mailbox', true),
  setDisabled('enable', 'Send from a disabled mailbox again', false),
  password,
];
