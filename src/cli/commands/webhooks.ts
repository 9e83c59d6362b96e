import { eventTypes } from '../../platform/vocabulary.ts';
import {
  addWebhook,
  defaultOverlapHours,
  disableWebhook,
  enableWebhook,
  listWebhooks,
  removeWebhook,
  rotateSecret,
  testWebhook,
} from '../../webhooks/administration.ts';
import { whyNotEndpoint } from '../../webhooks/endpoint-url.ts';
import { auditEntry } from '../audit-entry.ts';
import { type Command, CommandError, many, one, UsageError, wholeNumber } from '../command.ts';
import { done, fields, rows } from '../output.ts';

const idOf = (text: string | undefined): number => wholeNumber(text ?? '', 'ID');
const none = (id: number) => new CommandError(`There is no webhook ${id}`);

/** The types that were given; null if none was. @throws UsageError for types that would never be sent */
function typesOf(given: readonly string[], includesPrivate: boolean) {
  const wrong = given.filter((type) => !eventTypes.some((known) => known === type));
  if (wrong.length > 0)
    throw new UsageError(`There is no event type ${wrong.join(', ')}: choose from ${eventTypes.join(', ')}`);
  const ofMails = given.filter((type) => type.startsWith('DELIVERY_'));
  if (ofMails.length > 0 && !includesPrivate)
    throw new UsageError(`Events of mails are private: add --private for ${ofMails.join(', ')}`);
  return given.length === 0 ? null : eventTypes.filter((type) => given.includes(type));
}

const add: Command = {
  name: 'webhook add',
  arguments: ['URL'],
  summary: 'Send events to an endpoint from now on',
  details: 'Its secret is printed once. Endpoints verify each request with it (Standard Webhooks).',
  options: {
    type: {
      type: 'string',
      value: 'TYPE',
      multiple: true,
      help: 'only events of this type; repeatable (default: all)',
    },
    private: { type: 'boolean', help: 'also of private notes, and of mails' },
  },
  example: 'webhook add https://example.com/hooks/desk --type MESSAGE_ADDED',
  async run({ db, config }, [url], values) {
    const problem = whyNotEndpoint(url!, config.webhooks);
    if (problem !== undefined) throw new CommandError(`The URL ${problem}`);
    const includesPrivate = values.private === true;
    const types = typesOf(many(values, 'type'), includesPrivate);
    return db.transaction(async (tx) => {
      const { id, secret } = await addWebhook(tx, { url: url!, types, includesPrivate });
      const { origin } = new URL(url!);
      await tx.execute(auditEntry('WEBHOOK_ADDED', { webhookId: id, origin, types, includesPrivate }));
      return fields({ id, url: url!, types, includesPrivate, secret });
    });
  },
};

const list: Command = {
  name: 'webhook list',
  arguments: [],
  summary: 'List webhooks, with what each has received and its last failure',
  options: {},
  example: 'webhook list --json',
  async run({ db }) {
    return rows(await listWebhooks(db), [
      ...['id', 'url', 'types', 'includesPrivate', 'state', 'disabledReason', 'delivered'],
      ...['lastDeliveredAt', 'failures', 'lastError', 'dueAt'],
    ]);
  },
};

const test: Command = {
  name: 'webhook test',
  arguments: ['ID'],
  summary: 'Send an endpoint a signed request of the type TEST',
  options: {},
  example: 'webhook test 1',
  async run({ db, config }, [text]) {
    const id = idOf(text);
    const reply = await testWebhook(db, id, config.webhooks);
    if (reply === undefined) throw none(id);
    const { status, error } = reply;
    const isTaken = status !== undefined && status >= 200 && status < 300;
    const said =
      error === undefined ? `It answered with the status ${status}` : `There was no answer: ${error}`;
    return { ...done(`${said}.`, { id, status, error }), exitCode: isTaken ? 0 : 1 };
  },
};

const disable: Command = {
  name: 'webhook disable',
  arguments: ['ID'],
  summary: 'Send nothing more to an endpoint',
  options: {},
  example: 'webhook disable 1',
  async run({ db }, [text]) {
    const id = idOf(text);
    return db.transaction(async (tx) => {
      if (!(await disableWebhook(tx, id))) throw none(id);
      await tx.execute(auditEntry('WEBHOOK_DISABLED', { webhookId: id, reason: 'OPERATOR' }));
      return done(`Webhook ${id} is disabled.`, { id, disabled: true });
    });
  },
};

const enable: Command = {
  name: 'webhook enable',
  arguments: ['ID'],
  summary: 'Send to an endpoint again, at once',
  details: 'It receives all events since the last one that it received.',
  options: { skip: { type: 'boolean', help: 'send only events from now on' } },
  example: 'webhook enable 1',
  async run({ db }, [text], values) {
    const id = idOf(text);
    const skipped = values.skip === true;
    return db.transaction(async (tx) => {
      if (!(await enableWebhook(tx, id, skipped))) throw none(id);
      await tx.execute(auditEntry('WEBHOOK_ENABLED', { webhookId: id, skipped }));
      return done(`Webhook ${id} is enabled.`, { id, disabled: false });
    });
  },
};

const rotate: Command = {
  name: 'webhook rotate',
  arguments: ['ID'],
  summary: 'Give an endpoint a new secret',
  details: 'The new secret is printed once. Until the old one expires, requests have a signature by each.',
  options: {
    hours: {
      type: 'string',
      value: 'N',
      help: `how long the old secret signs as well (default ${defaultOverlapHours})`,
    },
  },
  example: 'webhook rotate 1 --hours 48',
  async run({ db }, [text], values) {
    const id = idOf(text);
    const hours = wholeNumber(one(values, 'hours') ?? String(defaultOverlapHours), '--hours', 0);
    return db.transaction(async (tx) => {
      const secret = await rotateSecret(tx, id, hours);
      if (secret === undefined) throw none(id);
      await tx.execute(auditEntry('WEBHOOK_SECRET_ROTATED', { webhookId: id, hours }));
      return fields({ id, secret });
    });
  },
};

const remove: Command = {
  name: 'webhook remove',
  arguments: ['ID'],
  summary: 'Remove an endpoint',
  options: {},
  example: 'webhook remove 1',
  async run({ db }, [text]) {
    const id = idOf(text);
    return db.transaction(async (tx) => {
      if (!(await removeWebhook(tx, id))) throw none(id);
      await tx.execute(auditEntry('WEBHOOK_REMOVED', { webhookId: id }));
      return done(`Webhook ${id} is removed.`, { id, removed: true });
    });
  },
};

/**
 * The commands `webhook add`, `list`, `test`, `disable`, `enable`, `rotate` and `remove`. Each change is
 * written in one transaction with its audit entry. `add` and `rotate` print the secret, which cannot be read
 * again.
 */
export const webhookCommands: readonly Command[] = [add, list, test, disable, enable, rotate, remove];
