import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  CommandError,
  type LooseCommand,
  type LooseContext,
  many,
  type OptionValues,
  one,
  UsageError,
  wholeNumber,
} from '../command.ts';
import { count, fields, sizeOf } from '../output.ts';
import { connectGateway, gatewayOptions } from './client.ts';
import { contentTypeOf } from './content-types.ts';
import { deliveryNumberOf } from './delivery-commands.ts';
import { parseTicket } from './parse-ticket.ts';

const mutation = /* GraphQL */ `mutation AddMessage($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) {
    ... on AddTicketMessagePayload {
      replayed
      warnings { message }
      ticketMessage { id messageId visibility attachments { fileName byteSize } }
      delivery { id state to subject dueAt }
    }
    ... on UserError { code message }
    ... on InvalidInputError { problems { path message } }
  }
}`;
interface AddedMessage {
  readonly replayed: boolean;
  readonly warnings: { message: string }[];
  readonly ticketMessage: {
    id: string;
    messageId: number;
    visibility: string;
    attachments: { fileName: string; byteSize: number }[];
  };
  readonly delivery: { id: string; state: string; to: string[]; subject: string; dueAt: string } | null;
}

const add: LooseCommand = {
  name: 'message add',
  arguments: ['TICKET', 'TEXT?'],
  summary: 'Add a message to a ticket, and mail it if asked',
  details: [
    'TICKET is a reference or an id. Without TEXT, or with -, the message is read from standard input.',
    'Retries never add it twice, as they share an idempotency key. Set --key to make the command itself',
    'repeatable.',
  ].join('\n'),
  options: {
    file: {
      type: 'string',
      value: 'PATH',
      short: 'f',
      multiple: true,
      help: 'file to attach; repeatable',
    },
    email: { type: 'string', value: 'MAILBOX', help: 'mail it to the requester from this mailbox' },
    cc: { type: 'string', value: 'ADDRESS', multiple: true, help: 'another recipient; repeatable' },
    bcc: { type: 'string', value: 'ADDRESS', multiple: true, help: 'hidden recipient; repeatable' },
    hold: { type: 'string', value: 'SECONDS', help: 'delay before the mail is sent' },
    quote: { type: 'string', value: 'NONE|LAST|ALL', help: 'earlier messages to quote below it' },
    html: { type: 'boolean', help: 'the message is HTML' },
    private: { type: 'boolean', help: 'visible to operators only' },
    reopen: { type: 'boolean', help: 'reopen the ticket if it is closed' },
    key: { type: 'string', value: 'KEY', help: 'idempotency key (default: a new one)' },
    ...gatewayOptions,
  },
  example: 'message add INC-000047 "The part has arrived." --email company@domain.com -f invoice.pdf',
  async runLoose(ctx, [ticket, text], values) {
    const gateway = connectGateway(ctx, values);
    const email = emailOf(values);
    const files = await Promise.all(many(values, 'file').map(openFile));
    const body = text === undefined || text === '-' ? await readBody(ctx) : text;
    const input = {
      ticket: parseTicket(ticket!),
      body,
      idempotencyKey: one(values, 'key') ?? randomUUID(),
      format: values.html === true ? 'HTML' : 'TEXT',
      visibility: values.private === true ? 'PRIVATE' : 'PUBLIC',
      // An older gateway does not know the field.
      ...(values.reopen === true && { reopen: true }),
      attachments: files.map(() => ({ file: null })),
      ...(email && { email }),
    };
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    if (ctx.stderr.isTTY && files.length > 0)
      ctx.stderr.write(`Sending ${count(files.length, 'file')}, ${sizeOf(bytes)} …\n`);
    const placed = files.map((file, at) => ({ path: `variables.input.attachments.${at}.file`, file }));
    const added = await gateway.execute<AddedMessage>(
      mutation,
      { input },
      { files: placed, repeatable: true },
    );
    for (const { message } of added.warnings) ctx.stderr.write(`${message}\n`);
    return { json: added, text: describe(added) };
  },
};

/** Ids as the other commands take them. */
function describe({ ticketMessage, delivery, replayed }: AddedMessage): string {
  const { messageId, visibility, attachments } = ticketMessage;
  return fields({
    ...{ message: messageId, visibility },
    files: attachments.map(({ fileName }) => fileName),
    ...(replayed && { replayed: 'an earlier call with this key had added it' }),
    ...(delivery && {
      ...{ delivery: deliveryNumberOf(delivery.id), state: delivery.state },
      ...{ to: delivery.to, subject: delivery.subject },
    }),
  }).text;
}

function emailOf(values: OptionValues): object | undefined {
  const from = one(values, 'email');
  const hold = one(values, 'hold');
  const quote = one(values, 'quote')?.toUpperCase();
  if (from === undefined) {
    const alone = ['cc', 'bcc', 'hold', 'quote'].find((name) => values[name] !== undefined);
    if (alone !== undefined) throw new UsageError(`--${alone} requires --email MAILBOX`);
    return undefined;
  }
  if (quote !== undefined && !['NONE', 'LAST', 'ALL'].includes(quote))
    throw new UsageError(`--quote must be NONE, LAST or ALL, not ${quote}`);
  return {
    from,
    cc: many(values, 'cc'),
    bcc: many(values, 'bcc'),
    ...(hold === undefined ? {} : { holdSeconds: wholeNumber(hold, '--hold', 0) }),
    ...(quote === undefined ? {} : { quote }),
  };
}

/** A file that is read from disk while it is sent, and again for each retry. */
async function openFile(path: string): Promise<File> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path} cannot be read (${error.code})`, { cause: error });
  });
  if (!found.isFile()) throw new CommandError(`${path} is not a file`);
  const type = contentTypeOf(path);
  // Files of the kernel, as in /proc, have a size of 0 whatever they contain.
  const content = found.size > 0 ? await openAsBlob(path, { type }) : await readFile(path);
  return new File([content], basename(path), { type });
}

async function readBody({ stdin, stderr }: LooseContext): Promise<string> {
  if (stdin.isTTY) stderr.write('Type the message and press Ctrl-D.\n');
  const bytes = await buffer(stdin);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (error) {
    throw new CommandError('The message is not valid UTF-8', { cause: error });
  }
}

/**
 * The command `message add`: adds a message with its files through a running gateway, and mails it with
 * `--email`. The text is an argument or read from standard input. Retries never add it twice.
 */
export const messageCommands: readonly LooseCommand[] = [add];
