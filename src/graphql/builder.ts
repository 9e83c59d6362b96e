import SchemaBuilder, { brandWithType, type OutputType } from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import RelayPlugin from '@pothos/plugin-relay';
import { GraphQLError } from 'graphql';
import { decodeGlobalId, encodeGlobalId } from '../global-id.ts';
import type { IncomingFile } from '../incoming-file.ts';
import { requireViewer } from '../tickets/policy.ts';
import type { GraphContext } from './context.ts';

export interface SchemaTypes {
  Context: GraphContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string | number };
    DateTime: { Input: Date; Output: Date };
    Upload: { Input: PromiseLike<IncomingFile> | IncomingFile; Output: never };
  };
}

/** A page of 100 tickets with 20 messages each and all that hangs on them passes; that squared does not. */
export const complexityLimit = { complexity: 120_000, depth: 15, breadth: 400 };

/** What implements Node. */
const nodeTypes = new Set(['Ticket', 'TicketMessage', 'Attachment', 'Delivery']);

export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [ComplexityPlugin, RelayPlugin],
  defaultFieldNullability: false,
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: 5,
    // What was found modest when its document was kept need not be computed for each request.
    limit: ({ modest }: GraphContext) => (modest === true ? {} : complexityLimit),
    complexityError: (kind) =>
      new GraphQLError(`The document asks for too much at once (${kind.toLowerCase()})`, {
        extensions: { code: 'DOCUMENT_TOO_COMPLEX' },
      }),
  },
  relay: {
    // The page itself says how many there are.
    edgesFieldOptions: { nullable: false, complexity: { field: 1, multiplier: 1 } },
    nodeFieldOptions: { nullable: false },
    encodeGlobalID: (typename, id) => encodeGlobalId(typename, String(id)),
    decodeGlobalID: (globalId) => {
      const name = Buffer.from(globalId, 'base64').toString('latin1').split(':')[0]!;
      // An id that is nobody's names the row 0, which does not exist: the answer is null, as for what may not be seen.
      const typename = nodeTypes.has(name) ? name : 'Ticket';
      return { typename, id: String(decodeGlobalId(typename, globalId) ?? 0) };
    },
    nodeQueryOptions: {
      description: 'Anything with a global id; null when it does not exist or may not be seen.',
      resolve: (_root, { id }, ctx) => findNode(ctx, id) as never,
    },
    nodesQueryOptions: {
      description: 'Several at once, in the order of their ids.',
      complexity: { multiplier: 20 },
      resolve: (_root, { ids }, ctx) => Promise.all(ids.map((id) => findNode(ctx, id))) as never,
    },
  },
});

/** Null also for the id of what is no node: nobody is told what else there is inside. @throws Refusal UNAUTHENTICATED, FORBIDDEN */
async function findNode(
  ctx: GraphContext,
  { typename, id }: { typename: string; id: string },
): Promise<object | null> {
  requireViewer(ctx, 'read');
  const { ticket: Ticket, message: TicketMessage, attachment: Attachment, delivery: Delivery } = ctx.load;
  const loaders = { Ticket, TicketMessage, Attachment, Delivery };
  if (!Object.hasOwn(loaders, typename)) return null;
  const node = await loaders[typename as keyof typeof loaders].load(Number(id));
  if (node !== null)
    brandWithType(node, typename as OutputType<PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>>);
  return node;
}

builder.queryType({ description: 'What can be read. Every list is a page.' });
builder.mutationType({
  description: 'What can be done. Refusals are members of the result; errors are faults.',
});
builder.subscriptionType({
  description: 'What can be watched, over Server-Sent Events (`Accept: text/event-stream`).',
});
