import { brandWithType, type OutputType } from '@pothos/core';
import { parseGlobalId } from '../../platform/global-id.ts';
import { invalidInput } from '../../tickets/invalid-input.ts';
import { requireViewer } from '../../tickets/permissions.ts';
import type { GraphContext } from '../context/context.ts';
import type { Loaders } from '../context/loaders.ts';
import { builder, type SchemaTypes } from './builder.ts';

/** The types that implement Node, and their loaders, which apply the viewer's permissions. */
const loaders = {
  Ticket: 'ticket',
  TicketMessage: 'message',
  Attachment: 'attachment',
  Delivery: 'delivery',
  Mailbox: 'mailbox',
} as const satisfies Record<string, keyof Loaders>;

const maxNodes = 100;

/**
 * Returns null when the id is malformed, its type is not a Node, the object does not exist, or the viewer may
 * not see it, so that nothing is revealed.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN
 */
async function findNode(ctx: GraphContext, globalId: string): Promise<object | null> {
  requireViewer(ctx, 'read');
  const named = parseGlobalId(globalId);
  if (named === undefined || !Object.hasOwn(loaders, named.type)) return null;
  const node = await ctx.load[loaders[named.type as keyof typeof loaders]].load(named.id);
  if (node !== null)
    brandWithType(node, named.type as OutputType<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>>);
  return node;
}

builder.queryFields((t) => ({
  node: t.field({
    type: builder.nodeInterfaceRef(),
    nullable: true,
    description: 'An object by its global id. Null when it does not exist or the viewer may not see it.',
    args: { id: t.arg.id({ required: true, description: 'Example: `"VGlja2V0OjQ3"`.' }) },
    resolve: (_root, { id }, ctx) => findNode(ctx, id) as never,
  }),
  nodes: t.field({
    type: [builder.nodeInterfaceRef()],
    nullable: { list: true, items: true },
    description: 'Several objects, in the order of their ids. Null where `node` would be null.',
    complexity: ({ ids }) => ({ field: 1, multiplier: Math.max(1, Math.min(ids.length, maxNodes)) }),
    args: {
      ids: t.arg.idList({
        required: true,
        description: `At most ${maxNodes}. Example: \`["VGlja2V0OjQ3", "VGlja2V0OjQ4"]\`.`,
      }),
    },
    resolve: (_root, { ids }, ctx) => {
      requireViewer(ctx, 'read');
      if (ids.length > maxNodes) {
        const message = `There are ${ids.length} ids; at most ${maxNodes} are allowed`;
        throw invalidInput([{ path: ['ids'], message }]);
      }
      return Promise.all(ids.map((id) => findNode(ctx, id))) as never;
    },
  }),
}));
