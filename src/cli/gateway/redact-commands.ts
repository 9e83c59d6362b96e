import { decodeGlobalId, encodeGlobalId } from '../../platform/global-id.ts';
import { type LooseCommand, one, UsageError } from '../command.ts';
import { done } from '../output.ts';
import { connectGateway, gatewayOptions } from './client.ts';

interface Redactable {
  /** The command's first word. */
  readonly word: 'message' | 'attachment';
  readonly type: 'TicketMessage' | 'Attachment';
  readonly mutation: 'redactMessage' | 'redactAttachment';
  readonly summary: string;
}

const redact = ({ word, type, mutation, summary }: Redactable): LooseCommand => ({
  name: `${word} redact`,
  arguments: [word.toUpperCase()],
  summary,
  details: [
    `${word.toUpperCase()} is its id. It cannot be undone; who did it and why is in the audit trail.`,
    'Requires a token with the scope admin.',
  ].join('\n'),
  options: {
    reason: { type: 'string', value: 'TEXT', help: 'why, without the content itself: it is kept' },
    ...gatewayOptions,
  },
  example: `${word} redact 4711 --reason "a pasted password"`,
  async runLoose(ctx, [typed], values) {
    const id = /^\d{1,10}$/.test(typed!) ? encodeGlobalId(type, Number(typed)) : typed!;
    const number = decodeGlobalId(type, id);
    if (number === undefined)
      throw new UsageError(`${typed} is not the id of ${word === 'message' ? 'a' : 'an'} ${word}`);
    const name = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}`;
    const query = `mutation Redact($input: ${name}Input!) { ${mutation}(input: $input) {
      ... on ${name}Payload { alreadyRedacted } ... on UserError { code message } } }`;
    const input = { [word]: id, reason: one(values, 'reason') };
    // It may be retried: redacting again changes nothing.
    const { alreadyRedacted } = await connectGateway(ctx, values).execute<{ alreadyRedacted: boolean }>(
      query,
      { input },
    );
    const text = alreadyRedacted ? 'was redacted already' : 'is redacted';
    return done(`The ${word} ${number} ${text}.`, { id, alreadyRedacted });
  },
});

/**
 * The command `message redact`: deletes the text and the files of a message for good. It calls a running
 * gateway, with a token that has the scope `admin`. Redacting again changes nothing.
 */
export const redactMessageCommand: LooseCommand = redact({
  ...{ word: 'message', type: 'TicketMessage', mutation: 'redactMessage' },
  summary: 'Delete the text and files of a message for good',
});

/** The command `attachment redact`: likewise deletes one file of a message for good. */
export const redactAttachmentCommand: LooseCommand = redact({
  ...{ word: 'attachment', type: 'Attachment', mutation: 'redactAttachment' },
  summary: 'Delete one file of a message for good',
});
