import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import RelayPlugin from '@pothos/plugin-relay';
import { encodeGlobalId } from '../../platform/global-id.ts';
import type { IncomingFile } from '../../platform/incoming-file.ts';
import { defaultPageSize, maxPageSize } from '../../tickets/read/page.ts';
import type { GraphContext } from '../context/context.ts';
import type { Countable } from './page.ts';

export interface SchemaTypes {
  Context: GraphContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
  Connection: Countable;
  Scalars: {
    ID: { Input: string; Output: string | number };
    DateTime: { Input: Date; Output: Date };
    Upload: { Input: PromiseLike<IncomingFile> | IncomingFile; Output: never };
  };
}

/** The page's own field has its size as multiplier already. */
const onePage = { field: 1, multiplier: 1 };
const pageSizes = `0 to ${maxPageSize}; ${defaultPageSize} when neither \`first\` nor \`last\` is given.`;

export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [ComplexityPlugin, RelayPlugin],
  defaultFieldNullability: false,
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: 5,
    // Fields only say what they cost: engine/complexity.ts adds that up and holds it against the limit, once
    // and before any of them runs.
    disabled: true,
  },
  relay: {
    encodeGlobalID: (typename, id) => encodeGlobalId(typename, String(id)),
    // node.ts has both: it looks ids up under the rules of whoever asks.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodeTypeOptions: {
      description: 'Anything that can be looked up again by its id, with `node` or `nodes`.',
    },
    idFieldOptions: {
      description: 'Global id: unique among all types, and stable. Opaque: pass it on as it is.',
    },
    edgesFieldOptions: {
      nullable: false,
      complexity: onePage,
      description: 'The rows of this page, each with its cursor.',
    },
    nodesOnConnection: { complexity: onePage, description: 'The rows of this page without their cursors.' },
    nodeFieldOptions: { nullable: false, description: 'The row.' },
    cursorFieldOptions: {
      description: 'The place of this row in its list, for `after` and `before` of the same list.',
    },
    pageInfoFieldOptions: { description: 'Whether there is more, and where to go on.' },
    pageInfoTypeOptions: { description: 'Whether a list has more rows than this page, on either side.' },
    hasNextPageFieldOptions: { description: 'There are rows after this page: ask with `after: endCursor`.' },
    hasPreviousPageFieldOptions: {
      description: 'There are rows before this page: ask with `last` and `before: startCursor`.',
    },
    startCursorFieldOptions: {
      description: 'Cursor of the first row; null when there is nowhere to go on from.',
    },
    endCursorFieldOptions: {
      description: 'Cursor of the last row; null when there is nowhere to go on from.',
    },
    firstArgOptions: {
      description: `So many rows from the start, or after \`after\`: ${pageSizes} Not with \`last\`.`,
    },
    lastArgOptions: {
      description: `So many rows from the end, or before \`before\`: ${pageSizes} Not with \`first\`.`,
    },
    afterArgOptions: {
      description: 'Cursor of this list: rows after it. Example: `pageInfo.endCursor` of the page before.',
    },
    beforeArgOptions: {
      description: 'Cursor of this list: rows before it. Example: `pageInfo.startCursor` of the page after.',
    },
  },
});

builder.queryType({
  description:
    'What can be read. A field that refuses is null, with an error whose `extensions.code` is an ' +
    '`ErrorCode`; the other fields are answered.',
});
builder.mutationType({
  description:
    'What can be done. A refusal is a member of the result union: select `... on UserError { code ' +
    'message path }`. An error is a fault on our side, or tells that a link in the result needs the ' +
    'scope READ; what was done is done.',
});
builder.subscriptionType({
  description: 'What can be watched, over Server-Sent Events (`Accept: text/event-stream`).',
});
