import type { components, operations } from './.made/openapi.d.ts';

/** What a client of the generated types writes; compiled, never run. */
type Body<Type extends string> =
  operations['newMessage']['requestBody']['content'] extends Record<Type, infer T> ? T : never;
type Anything<T> = unknown extends T ? true : false;
const isAnything: [Anything<Body<'application/json'>>, Anything<Body<'application/xml'>>] = [false, false];

const whole: Body<'application/json'> = {
  TicketREF: 'INC-000047',
  TicketId: null,
  Message: 'x',
  Html: false,
  Attachments: [{ FileName: 'a', ContentType: 'text/plain', ContentLength: '5', Data: 'YQ==' }, null],
  SendViaOutboundEmail: true,
  SendViaOutboundEmailFrom: 'company@domain.com',
  SendViaOutboundEmailCc: ['jane.doe@domain.com', null],
};
const least: Body<'text/json'> = { TicketId: 47, Message: 'x' };
const inXml: Body<'text/xml'> = {
  Attachments: [{ Data: 'YQ==', FileName: 'a' }],
  Message: 'x',
  TicketId: 47,
};
// @ts-expect-error: without a Message there is nothing to write
const nothing: Body<'application/json'> = { TicketREF: 'INC-000047' };
// @ts-expect-error: an id is a number
const wrong: Body<'application/json'> = { TicketId: 'INC-000047', Message: 'x' };
// @ts-expect-error: there is no such member
const unknown: Body<'application/xml'> = { TicketId: 47, Message: 'x', Subject: 'x' };

type Answer = operations['newMessage']['responses'][200]['content']['application/json'];
const id = ({ TicketMessageId }: Answer): number => TicketMessageId;
const why = ({ Message, ModelState }: components['schemas']['Error']): string[] => [
  Message,
  ...Object.values(ModelState ?? {}).flat(),
];

export const used = [isAnything, whole, least, inXml, nothing, wrong, unknown, id, why];
